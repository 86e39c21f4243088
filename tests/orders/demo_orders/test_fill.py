"""Demo orders keep every rule of the shop, are the same again, and reach nobody."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Avg, Count

from media_jobs.models import MediaJob, Rendition
from notifications.delivery.stored_html import stored_html
from notifications.models import FINAL, MessageHtml, Notification, WebhookDelivery
from notifications.rendering import render
from orders.demo.orders import AlreadyFilled, InUse, catalogue, fill, fill_orders
from orders.demo.orders.lives import key_of, source_of
from orders.demo.orders.moments import DAYS, moments
from orders.demo.orders.rows.messages import MOST_PARKED
from orders.models import DemoFill, Order, OrderEvent, Product, StockMovement, User
from orders.placing.identity import order_id
from project.database.advisory_lock import try_lock
from project.jobs.dispatch import ring
from tests.factories import add_product
from tests.notifications.webhooks.receiver import endpoint_at
from tests.orders.demo_orders.outcome import told, violations

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])

RESERVED = ("@example.com", "@example.org", "@example.net", ".example")
FICTIONAL = (
    r"^(\+493023125\d{3}|\+4917604069\d{3}|\+442079460\d{3}|\+3319900\d{4}|\+12125550?1\d{2})$"
)


def test_the_audit_is_clean_and_no_job_is_due() -> None:
    fill_orders(orders=2000)

    assert violations() == []
    assert ring(Notification) == []
    assert ring(MediaJob) == []


def test_webhooks_hear_of_no_demo_product() -> None:
    endpoint_at("https://hooks.example/in", events=["product.changed"])
    add_product("TEA")
    Product.objects.update(name="Green tea")

    fill_orders(orders=100)

    heard = WebhookDelivery.objects.values_list("context__data__sku", flat=True)
    assert list(heard) == ["TEA"], "what others did stays"


def test_control_what_isnt_taken_back_is_told(monkeypatch) -> None:
    endpoint_at("https://hooks.example/in", events=["product.changed"])
    monkeypatch.setattr(catalogue, "take_back", lambda *, skus: None)

    fill_orders(orders=100)

    assert WebhookDelivery.objects.count() > Product.objects.count()


def test_messages_say_what_the_templates_say(settings) -> None:
    settings.KEEP_MESSAGE_HTML_DAYS = 10_000
    settings.PAYMENT_DUE_HOURS = 48
    fill_orders(orders=300)

    for message in Notification.objects.all():
        said = render(message)
        assert (message.subject, message.text, stored_html(message)) == (
            said.subject,
            said.text,
            said.html,
        )


def test_old_messages_are_as_pruning_leaves_them() -> None:
    fill_orders(orders=300)

    since = fill._last_midnight() - timedelta(days=7)
    emails = Notification.objects.filter(channel="email", status__in=FINAL)
    with_html = emails.filter(pk__in=MessageHtml.objects.values("pk"))
    young = emails.filter(finished_at__gt=since)
    assert set(with_html) == set(young) != set()


def test_ids_derive_from_keys() -> None:
    fill_orders(orders=100, seed=3)

    derived = {
        order_id(source=source_of(n), user_id=None, key=key_of(n, seed=3)) for n in range(100)
    }
    assert set(Order.objects.values_list("pk", flat=True)) == derived


def test_the_same_seed_makes_the_same_rows_and_another_one_others() -> None:
    def fill_and_tell(seed: int) -> list[tuple[Any, ...]]:
        fill_orders(orders=200, seed=seed)
        rows = told()
        call_command("demo", remove=True, in_production=True, stdout=_Silence())
        return rows

    first, second, other = fill_and_tell(1), fill_and_tell(1), fill_and_tell(2)

    assert first == second
    assert len(first) > 1000
    assert {row[0] for row in first} & {row[0] for row in other} == {None}  # the staff's messages


class _Silence:
    def write(self, _text: str) -> None: ...


def test_nobody_can_be_reached() -> None:
    fill_orders(orders=2000)

    for email in Order.objects.values_list("email", flat=True):
        assert email.endswith(RESERVED)
    for email in User.objects.values_list("email", flat=True):
        assert email.endswith(RESERVED)
    assert not Order.objects.exclude(phone="").exclude(phone__regex=FICTIONAL).exists()
    assert not User.objects.filter(wants_announcements=True).exists()
    waiting = Notification.objects.filter(status__in=("queued", "running"))
    assert 0 < waiting.count() <= MOST_PARKED
    assert not waiting.exclude(channel="email").exists()


@pytest.mark.usefixtures("fixed_day")
def test_rows_per_order_are_those_of_a_shop() -> None:
    fill_orders(orders=6000)

    lines = Order.objects.annotate(n=Count("lines")).aggregate(Avg("n"))["n__avg"]
    assert 2.8 < lines < 3.2
    assert 4 < OrderEvent.objects.count() / 6000 < 5
    assert 2 < Notification.objects.count() / 6000 < 3
    assert set(Order.objects.values_list("status", flat=True)) == set(Order.Status.values)
    by_shopper = Counter(Order.objects.values_list("email", flat=True)).most_common()
    assert by_shopper[0][1] > 20 * by_shopper[len(by_shopper) // 2][1]


def test_a_done_pass_has_files() -> None:
    fill_orders(orders=50)

    rendition = Rendition.objects.all()[0]
    with rendition.file.open("rb") as file:
        assert len(file.read()) == rendition.size


def test_products_are_off_sale_until_the_fill_ends(monkeypatch) -> None:
    seen = []
    monkeypatch.setattr(fill, "BATCH_SIZE", 50)

    fill_orders(
        orders=100,
        say=lambda _line: seen.append(Product.objects.filter(is_active=True).exists()),
    )

    assert not any(seen)
    assert Product.objects.filter(is_active=True).exists()


def test_a_second_fill_is_refused() -> None:
    fill_orders(orders=20)

    with pytest.raises(AlreadyFilled):
        fill_orders(orders=20, seed=2)

    assert Order.objects.count() == 20


def test_a_fill_beside_another_one_is_refused() -> None:
    with try_lock(fill.LOCK, using="writer"), pytest.raises(InUse):
        fill_orders(orders=20)

    assert not DemoFill.objects.exists()


def test_a_shop_in_production_is_left_alone(settings) -> None:
    settings.TANDEM_LOCAL = settings.DEBUG = False

    with pytest.raises(CommandError, match="--in-production"):
        call_command("demo", orders=20)

    assert not StockMovement.objects.exists()


def test_moments_have_days_and_hours() -> None:
    until = datetime(2026, 3, 2, tzinfo=UTC)

    found = list(moments(orders=20_000, until=until, seed=1))

    assert len(found) == 20_000
    assert all(one <= other for one, other in pairwise(found))
    assert found[-1] < until
    assert (until - found[0]).days == DAYS - 1
    days = Counter(moment.weekday() for moment in found)
    assert days[6] > days[0] > days[5]
    hours = Counter(moment.hour for moment in found)
    assert hours[20] > 10 * hours[3]
