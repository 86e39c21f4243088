"""The order's page, and what it says of the jobs behind it."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from media_jobs.models import MediaJob, Rendition
from notifications.models import Notification
from orders.models import Order, OrderEvent, Product, User
from project.jobs.queryset import Status
from tests.factories import add_product, make_order
from tests.orders.shop.pages import Response, text_of

pytestmark = pytest.mark.django_db


def add_message(order: Order, status: Status = Status.QUEUED, **changes: Any) -> None:
    lease = {"token": uuid4(), "lease_until": timezone.now()} if status == "running" else {}
    fields = {
        "order_id": order.pk,
        "kind": "order_placed.email",
        "event": "order_placed",
        "channel": "email",
        "recipient": "ada@example.org",
        "language": "en",
        "status": status,
    }
    Notification.objects.create(**fields | lease | changes)


def add_pass(order: Order, status: Status = Status.QUEUED, **changes: Any) -> MediaJob:
    lease = {"token": uuid4(), "lease_until": timezone.now()} if status == "running" else {}
    job = MediaJob.objects.create(
        order_id=order.pk,
        kind="pickup_pass",
        recipe="pickup_pass",
        source=f"order:{order.pk}",
        status=status,
        **lease,
        **changes,
    )
    if status == Status.DONE:
        for file_format in ("png", "webp"):
            Rendition.objects.create(
                job=job,
                name="pass",
                format=file_format,
                width=1080,
                height=1350,
                size=1,
                file=f"renditions/pass.{file_format}",
            )
    return job


def progress_tag(page: Response) -> str:
    """The start tag of what polls; the search field of every page has htmx's attributes too."""
    tags: list[str] = re.findall(r'<div id="progress"[^>]*>', page.content.decode())
    assert len(tags) == 1
    return tags[0]


def polling(client: Client, order_id: UUID) -> str:
    """The address that the order's page polls; empty if it doesn't."""
    return progress_tag(client.get(f"/orders/{order_id}/")).partition('hx-get="')[2].split('"')[0]


def test_it_shows_the_order_with_its_lines_and_timeline(client: Client) -> None:
    order = make_order(add_product("MUG", price="9.90"), add_product("CUP", price="5.00"))

    text = text_of(client.get(f"/orders/{order.pk}/"))

    assert f"Your order {order.display_number} is placed" in text
    assert "Thank you, Ada Lovelace" in text
    assert "Thing MUG €9.90 × 2 €19.80" in text
    assert "Total €29.80" in text
    assert "Timeline Placed" in text
    assert "For pickup by Ada Lovelace" in text


def test_it_shows_where_the_order_goes(client: Client) -> None:
    address = {"line1": "Am Kai 1", "city": "Kiel", "postcode": "24103", "country": "DE"}
    order = make_order(address=address)

    text = text_of(client.get(f"/orders/{order.pk}/"))

    assert "Delivery to Ada Lovelace Am Kai 1 24103 Kiel Germany" in text


def test_it_says_what_was_chosen_for_the_delivery_and_what_it_costs(client: Client) -> None:
    address = {"line1": "Am Kai 1", "city": "Kiel", "postcode": "24103", "country": "DE"}
    order = make_order(add_product("MUG", price="9.90"), address=address)
    quote = {"carrier": "swift", "service": "x", "label": "Swift Express", "days": 1}
    Order.objects.update(delivery=quote, delivery_total="4.90", total="24.70")

    text = text_of(client.get(f"/orders/{order.pk}/"))

    assert "Items €19.80 Delivery Swift Express €4.90 Total €24.70" in text
    assert "24103 Kiel Germany At most 1 day after it is sent" in text


def test_names_and_prices_are_those_that_were_paid(client: Client) -> None:
    order = make_order()
    Product.objects.update(name="Renamed", price="99.00")

    text = text_of(client.get(f"/orders/{order.pk}/"))

    assert "Thing MUG €9.90" in text
    assert "Renamed" not in text


@pytest.mark.parametrize("path", ["", "progress/", "pass/"])
def test_an_order_that_does_not_exist_has_no_page(client: Client, path: str) -> None:
    assert client.get(f"/orders/{uuid4()}/{path}").status_code == 404
    assert client.get(f"/orders/1/{path}").status_code == 404


def test_nobody_else_keeps_the_page(client: Client) -> None:
    page = client.get(f"/orders/{make_order().pk}/")

    assert "no-store" in page.headers["Cache-Control"]
    assert "private" in page.headers["Cache-Control"]
    assert '<meta name="robots" content="noindex">' in page.content.decode()


@pytest.mark.parametrize(
    ("status", "changes", "said"),
    [
        ("queued", {}, "To ada@example.org, in a moment"),
        ("queued", {"attempts": 1, "error": "greylisted"}, "We keep trying."),
        ("running", {}, "Being sent to ada@example.org"),
        ("done", {}, "Sent to ada@example.org"),
        ("failed", {"error": "550 no such user"}, "We couldn&#x27;t reach ada@example.org."),
        ("unknown", {"error": "timed out"}, "Perhaps sent to ada@example.org"),
        ("cancelled", {}, "Not sent"),
    ],
)
def test_a_message_is_told_in_friendly_words(
    client: Client, status: Status, changes: dict[str, Any], said: str
) -> None:
    order = make_order()
    add_message(order, status, **changes)

    text = text_of(client.get(f"/orders/{order.pk}/"))

    assert said in text
    assert changes.get("error", "550") not in text


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("queued", "We draw it in a moment"),
        ("running", "Being drawn"),
        ("done", "Ready: show it when you pick up your order"),
        ("failed", "Your order number is enough."),
    ],
)
def test_the_pickup_pass_is_told_in_friendly_words(
    client: Client, status: Status, said: str
) -> None:
    order = make_order()
    add_pass(order, status)

    assert said in text_of(client.get(f"/orders/{order.pk}/"))


def test_nobody_is_told_to_pick_up_what_is_delivered(client: Client) -> None:
    order = make_order(address={"line1": "Am Kai 1", "city": "Kiel", "country": "DE"})
    add_pass(order, Status.DONE)

    assert "pick up" not in text_of(client.get(f"/orders/{order.pk}/"))


def test_a_running_pass_shows_how_far_it_is(client: Client) -> None:
    order = make_order()
    add_pass(order, Status.RUNNING, progress=40)

    assert 'value="40"' in client.get(f"/orders/{order.pk}/").content.decode()


def test_the_pass_is_shown_when_it_is_ready(client: Client) -> None:
    order = make_order()
    add_pass(order, Status.DONE)

    page = client.get(f"/orders/{order.pk}/").content.decode()

    assert 'src="/media/renditions/pass.png"' in page
    assert 'srcset="/media/renditions/pass.webp"' in page


def test_the_link_to_the_pass_leads_to_the_picture(client: Client) -> None:
    order = make_order()
    add_pass(order, Status.DONE)

    answer = client.get(f"/orders/{order.pk}/pass/")

    assert answer.headers["Location"] == "/media/renditions/pass.png"


def test_before_it_is_ready_the_link_leads_to_where_it_will_appear(client: Client) -> None:
    order = make_order()
    add_pass(order)

    answer = client.get(f"/orders/{order.pk}/pass/")

    assert answer.headers["Location"] == f"/orders/{order.pk}/#pickup-pass"
    assert 'id="pickup-pass"' in client.get(f"/orders/{order.pk}/").content.decode()


@pytest.mark.parametrize("status", ["cancelled", "refunded"])
@pytest.mark.parametrize("drawn", [Status.QUEUED, Status.DONE, Status.FAILED])
def test_an_order_that_is_called_off_has_no_pass(
    client: Client, status: str, drawn: Status
) -> None:
    order = make_order(status=status)
    add_pass(order, drawn)

    page = client.get(f"/orders/{order.pk}/")

    assert "pass" not in text_of(page).lower()
    assert "enough" not in text_of(page)
    assert polling(client, order.pk) == ""
    answer = client.get(f"/orders/{order.pk}/pass/")
    assert answer.headers["Location"].startswith(f"/orders/{order.pk}/")


def test_an_order_that_is_called_off_does_not_stand(client: Client) -> None:
    order = make_order(status="cancelled")
    add_message(order, Status.FAILED)

    text = text_of(client.get(f"/orders/{order.pk}/"))

    assert "Not everything worked" in text
    assert "We couldn&#x27;t reach ada@example.org." in text
    assert "stands" not in text


def test_an_open_job_is_polled_until_it_is_finished(client: Client) -> None:
    order = make_order()
    add_message(order)
    address = polling(client, order.pk)

    assert address.startswith(f"/orders/{order.pk}/progress/?seen=")
    assert client.get(address).status_code == 204
    Notification.objects.update(status=Status.DONE)
    update = client.get(address)
    assert update.status_code == 200
    assert "Sent to ada@example.org" in text_of(update)
    assert "hx-trigger" not in update.content.decode()


def test_a_poll_takes_one_query_and_says_nothing_until_something_changed(
    client: Client, django_assert_num_queries: Any
) -> None:
    order = make_order()
    add_message(order)
    add_pass(order, Status.RUNNING, progress=40)
    path = f"/orders/{order.pk}/progress/"
    asks = {"if-none-match": client.get(path).headers["ETag"]}

    with django_assert_num_queries(1):
        same = client.get(path, headers=asks)
    MediaJob.objects.update(progress=60)
    changed = client.get(path, headers=asks)
    chinese = client.get(path, headers={**asks, "accept-language": "zh-hans"})

    assert (same.status_code, same.content) == (304, b"")
    assert changed.status_code == chinese.status_code == 200
    assert changed.headers["ETag"] != asks["if-none-match"]


def test_a_poll_that_finds_nothing_new_reads_no_session_and_no_user(
    client: Client, django_assert_num_queries: Any
) -> None:
    client.force_login(User.objects.create_user("ada"))
    order = make_order()
    add_message(order)
    address = polling(client, order.pk)

    with django_assert_num_queries(1):
        same = client.get(address)

    assert same.status_code == 204
    assert same.headers["Cache-Control"] == "private, no-cache"
    assert same.headers["X-Content-Type-Options"] == "nosniff"
    assert same.wsgi_request.resolver_match.url_name == "order-progress"  # for /metrics


@pytest.mark.parametrize("path", ["/orders/x/progress/?seen=1", "/nothing/progress/?seen=1"])
def test_a_poll_of_nothing_is_no_page(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_an_order_without_open_jobs_is_not_polled(client: Client) -> None:
    order = make_order()
    add_message(order, Status.DONE)
    add_pass(order, Status.FAILED)

    page = client.get(f"/orders/{order.pk}/")

    assert "hx-trigger" not in progress_tag(page)
    assert "http-equiv" not in page.content.decode()
    assert "Your order stands, but not everything worked" in text_of(page)


def test_an_order_whose_jobs_were_pruned_is_not_polled(client: Client) -> None:
    assert polling(client, make_order().pk) == ""


@pytest.mark.parametrize(
    ("age", "pace"),
    [
        (timedelta(seconds=5), "every 1s"),
        (timedelta(seconds=30), "every 4s"),
        (timedelta(minutes=2), "every 5s"),
        (timedelta(minutes=20), "every 30s"),
    ],
)
def test_the_page_asks_less_often_the_longer_it_takes(
    client: Client, age: timedelta, pace: str
) -> None:
    order = make_order(placed_at=timezone.now() - age)
    add_message(order)

    assert f'hx-trigger="{pace}"' in progress_tag(client.get(f"/orders/{order.pk}/"))


def test_after_an_hour_the_page_stops_asking_and_says_so(client: Client) -> None:
    order = make_order(placed_at=timezone.now() - timedelta(hours=2))
    add_message(order)

    page = client.get(f"/orders/{order.pk}/")

    assert "hx-trigger" not in progress_tag(page)
    assert "Reload the page to see the latest." in text_of(page)


def test_without_scripts_the_page_reloads_itself(client: Client) -> None:
    order = make_order()
    add_message(order)

    page = client.get(f"/orders/{order.pk}/").content.decode()

    assert "<noscript>" in page
    assert '<meta http-equiv="refresh" content="5">' in page


def test_what_a_shopper_typed_is_only_text(client: Client) -> None:
    order = make_order()
    Order.objects.update(name="<script>alert(1)</script>")

    page = client.get(f"/orders/{order.pk}/").content.decode()

    assert "<script>alert" not in page


def test_it_asks_as_often_for_one_line_and_message_as_for_many(client: Client) -> None:
    def queries(order: Order) -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(f"/orders/{order.pk}/")
        return len(captured)

    small = make_order()
    add_message(small)
    add_pass(small, Status.DONE)
    large = make_order(*(add_product(f"N{number}") for number in range(10)))
    for number in range(10):
        add_message(large, recipient=f"{number}@example.org")
        OrderEvent.objects.create(order=large, kind="paid")
    add_pass(large, Status.DONE)

    assert queries(small) == queries(large) == 11  # with the version that the page polls by


def test_a_delivery_order_shows_no_pickup_pass(client: Client) -> None:
    address = {"line1": "Am Kai 1", "city": "Kiel", "postcode": "24103", "country": "DE"}

    assert "Pickup pass" not in text_of(client.get(f"/orders/{make_order(address=address).pk}/"))


def test_an_order_that_is_picked_up_has_a_place_for_its_pass(client: Client) -> None:
    assert "Pickup pass" in text_of(client.get(f"/orders/{make_order().pk}/"))


def test_all_done_is_said_of_a_paid_order_only(client: Client) -> None:
    order = make_order()
    add_message(order, status=Status.DONE)

    assert "Everything is sent. We wait for your payment." in text_of(
        client.get(f"/orders/{order.pk}/")
    )

    Order.objects.update(status=Order.Status.PAID)
    assert "All done" in text_of(client.get(f"/orders/{order.pk}/"))


def test_a_domain_in_another_script_is_shown_as_people_write_it(client: Client) -> None:
    order = make_order()
    add_message(order, status=Status.DONE, recipient="ada@xn--strae-oqa.example")

    assert "Sent to ada@straße.example" in text_of(client.get(f"/orders/{order.pk}/"))
