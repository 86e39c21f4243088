"""An order that an operator makes for a customer, through the pages."""

import re
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from notifications.models import Notification
from orders.models import Order, Product, Stock, User, Voucher
from orders.placing.errors import (
    FieldError,
    InvalidOrder,
    OutcomeUnknown,
    PlacementError,
    PlacementFailed,
    ShopBusy,
)
from orders.placing.placement import place_order
from project.limits.rates import Rate
from project.models import LimitCounter
from tests.factories import add_product, add_voucher, order_request
from tests.orders.shop.pages import text_of
from tests.pages import OpenedPage, read_page

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers", "mug"),
]
ADD = "/admin/orders/order/add/"
GRACE = {"name": "Grace Hopper", "email": "grace@example.org", "phone": "0431 901 0"}
YORK = {"line1": "Mill Lane 1", "city": "York", "postcode": "YO1 7AA", "country": "GB"}


@pytest.fixture
def mug(db: None) -> Product:
    return add_product("MUG", stock=10, price="9.90")


@pytest.fixture(autouse=True)
def no_carriers(settings: Any) -> None:
    settings.DELIVERY_SIMULATED, settings.DELIVERY_BY_WEIGHT = False, []
    settings.DELIVERY_FLAT_RATE = {}


@pytest.fixture
def operator(db: None) -> User:
    user = User.objects.create_user("clara", is_staff=True)
    codes = ("add_order", "view_order", "change_order")
    user.user_permissions.set(Permission.objects.filter(codename__in=codes))
    return user


@pytest.fixture
def desk(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def new_page(desk: Client) -> OpenedPage:
    answer = desk.get(ADD, follow=True)
    return read_page(desk, answer.redirect_chain[-1][0], answer.content.decode())


def press(page: OpenedPage, do: str, **typed: Any) -> tuple[OpenedPage, Any]:
    """Press a button that shows the page again; return the page, and the answer for its words."""
    answer = page.send(do=do, **typed)
    return read_page(page.client, page.url, answer.content.decode()), answer


def filled(desk: Client, **typed: Any) -> OpenedPage:
    """Return a page with two mugs for Grace, as it is before it is placed."""
    page, _answer = press(new_page(desk), "add:MUG")
    page, _answer = press(page, "look", **{"line-0-quantity": "2", **GRACE, **typed})
    return page


def place(page: OpenedPage, **typed: Any) -> Any:
    return page.send(do="place", **typed)


def test_an_order_by_phone_from_the_first_word_to_the_payment(desk: Client, operator: User) -> None:
    earlier = place_order(
        order_request(("MUG", 1), **GRACE | {"phone": "+494319010"}, address=YORK)
    ).order
    add_product("CUP", stock=3, price="4.00")

    page, found = press(new_page(desk), "look", find_product="thing", find_customer="0431 9010")
    assert "MUG · €9.90 · 9 available" in text_of(found)
    assert "grace@example.org · +494319010 · York" in text_of(found)
    page, _answer = press(page, f"take:order:{earlier.pk}")
    page, _answer = press(page, "add:MUG")
    page, _answer = press(page, "add:MUG")
    page, shown = press(page, "add:CUP", note="She called twice.")
    assert "€23.80" in text_of(shown)
    by_hand = {"line-1-price": "2.50", "line-1-reason": "A scratch on it"}
    page, shown = press(page, "look", **by_hand)
    assert "1 × €2.50 (by hand)" in text_of(shown)

    answer = page.send_and_follow(do="place")

    order = Order.objects.latest("number")
    assert answer.redirect_chain == [(f"/admin/orders/order/{order.pk}/change/", 302)]
    assert f"Order {order.display_number} is placed." in text_of(answer)
    assert str(answer.context["next_step"].step.label) == "Take a payment"
    assert (order.door, order.name, order.email) == ("desk", "Grace Hopper", "grace@example.org")
    assert (order.phone, order.address, order.user) == ("+494319010", YORK, None)
    assert order.total == Decimal("22.30")
    lines = order.lines.values_list("sku", "quantity", "unit_price")
    assert [*lines] == [("MUG", 2, Decimal("9.90")), ("CUP", 1, Decimal("2.50"))]
    assert Stock.objects.get(product__sku="MUG").available == 7
    assert Notification.objects.filter(order_id=order.pk, event="order_placed").exists()
    placed = order.events.get()
    assert (placed.kind, placed.user) == ("placed", operator)
    assert "Thing CUP: €2.50 by hand instead of €4.00 – A scratch on it" in plain(answer)
    assert "price by hand, in the shop €4.00" in text_of(answer)
    assert [(note.text, note.user) for note in order.notes.all()] == [
        ("She called twice.", operator)
    ]
    entry = LogEntry.objects.get(object_id=str(order.pk))
    assert "Make an order" in entry.change_message
    assert "A scratch on it" in entry.change_message


def plain(answer: Any) -> str:
    """Return the page's words without the marks that isolate names."""
    return re.sub("[\u2068\u2069]", "", text_of(answer))


def test_a_page_that_is_sent_again_leads_to_its_order(desk: Client) -> None:
    page = filled(desk, note="Once")

    first, second = place(page), place(page)
    reloaded = desk.get(page.url)
    changed = page.send_and_follow(do="place", **{"line-0-quantity": "1", "expected_total": "9.90"})

    order = Order.objects.get()
    assert first.url == second.url == reloaded.url == f"/admin/orders/order/{order.pk}/change/"
    assert order.lines.get().quantity == 2
    assert "was placed from this page already" in text_of(changed)
    assert order.notes.count() == 1


def at_once(pages: list[OpenedPage]) -> list[Any]:
    """Place all the pages at the same moment, each by a browser of the same operator."""
    barrier = Barrier(len(pages))

    def send(page: OpenedPage) -> Any:
        barrier.wait(10)
        try:
            return place(page)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(pages)) as pool:
        return [*pool.map(send, pages)]


def test_a_double_click_is_one_order(desk: Client) -> None:
    page = filled(desk)

    answers = at_once([page] * 4)

    assert {answer.url for answer in answers} == {
        f"/admin/orders/order/{Order.objects.get().pk}/change/"
    }
    assert Stock.objects.get().available == 8


def test_control_pages_with_keys_of_their_own_are_two_orders(desk: Client) -> None:
    at_once([filled(desk), filled(desk)])

    assert Order.objects.count() == 2


def test_a_price_that_changes_while_the_page_is_open_is_told(desk: Client) -> None:
    page = filled(desk, name="Zoë")
    Product.objects.update(price="12.00")

    refused = place(page)
    assert refused.status_code == 409
    assert "it is €24.00 now" in text_of(refused)
    assert "The price has changed from €9.90 to €12.00." in text_of(refused)
    assert not Order.objects.exists()

    place(read_page(desk, page.url, refused.content.decode()))
    order = Order.objects.get()
    assert (order.name, order.total) == ("Zoë", Decimal("24.00"))


def test_a_price_by_hand_stands_whatever_the_shop_changes(desk: Client) -> None:
    page = filled(desk, **{"line-0-price": "0", "line-0-reason": "A gift"})
    Product.objects.update(price="12.00")

    place(page)

    order = Order.objects.get()
    assert order.total == 0
    assert order.events.get().detail["prices"] == [
        {
            "sku": "MUG",
            "name": "Thing MUG",
            "price": "0.00",
            "shop_price": "12.00",
            "reason": "A gift",
        }
    ]


BAD_PRICES = {
    ("-1", "x"): "greater than or equal to 0",
    ("1.001", "x"): "no more than 2 decimal places",
    ("100000000", "x"): "less than or equal to 99999999.99",
    ("NaN", "x"): "Enter a number.",
    ("5", ""): "Say in a few words why it has this price.",
    ("5", " \u200b "): "This field is required.",
    ("", "x"): "Enter the price, or clear its reason.",
}


def test_a_price_by_hand_that_can_not_be_is_told_at_its_field(desk: Client) -> None:
    page = filled(desk)

    answers = {
        (price, reason): place(page, **{"line-0-price": price, "line-0-reason": reason})
        for price, reason in BAD_PRICES
    }

    assert {answer.status_code for answer in answers.values()} == {422}
    told = {case: str(answer.context["lines"][0].errors) for case, answer in answers.items()}
    assert {case: told[case] for case, text in BAD_PRICES.items() if text not in told[case]} == {}
    assert not Order.objects.exists()


def test_what_is_wrong_is_told_beside_its_field_and_nothing_typed_is_lost(desk: Client) -> None:
    typed = {"email": "grace@", "note": "Twice", "handover": "delivery", "line1": "Mill Lane 1"}
    page = filled(desk, **typed, **{"line-0-quantity": "0"})

    refused = place(page)

    assert refused.status_code == 422
    errors = refused.context["customer"].errors
    assert set(errors) == {"email", "city", "postcode"}
    assert set(refused.context["lines"][0].errors) == {"quantity"}
    again = read_page(desk, page.url, refused.content.decode()).values
    assert {name: again[name] for name in typed} == {name: [text] for name, text in typed.items()}
    assert again["line-0-quantity"] == ["0"]


def deliverable(desk: Client) -> OpenedPage:
    return filled(desk, handover="delivery", **YORK)


def test_a_delivery_is_chosen_among_the_quotes_and_told_if_it_changes(
    desk: Client, settings: Any
) -> None:
    settings.DELIVERY_FLAT_RATE = {"*": Decimal("4.90")}
    settings.DELIVERY_BY_WEIGHT = [(5000, Decimal("7.90"))]
    page, offered = press(deliverable(desk), "look")
    assert "Standard delivery there within 3 days €4.90" in text_of(offered)
    assert "Total €24.70" in text_of(offered)

    page, chosen = press(page, "look", delivery="by-weight/parcel")
    assert "Total €27.70" in text_of(chosen)

    settings.DELIVERY_BY_WEIGHT = [(5000, Decimal("8.90"))]
    dearer = place(page)
    assert dearer.status_code == 409
    assert "it is €28.70 now" in text_of(dearer)
    assert "The price has changed from €7.90 to €8.90." in text_of(dearer)

    settings.DELIVERY_BY_WEIGHT = [(1, Decimal("8.90"))]
    gone = place(read_page(desk, page.url, dearer.content.decode()))
    assert gone.status_code == 409
    assert "isn’t offered any more. It doesn&#x27;t carry this to this address." in text_of(gone)
    assert not Order.objects.exists()

    place(read_page(desk, page.url, gone.content.decode()))
    order = Order.objects.get()
    assert (order.delivery["carrier"], order.address) == ("flat-rate", YORK)
    assert (order.delivery_total, order.total) == (Decimal("4.90"), Decimal("24.70"))


def test_a_delivery_at_a_price_is_not_placed_without_a_choice(desk: Client, settings: Any) -> None:
    page = deliverable(desk)  # opened before the shop had carriers
    settings.DELIVERY_FLAT_RATE = {"DE": Decimal("4.90")}

    refused = place(page)

    assert "Choose how it is delivered." in text_of(refused)
    assert "Nobody delivers this to the address at the moment." in text_of(refused)
    assert "It doesn&#x27;t carry this to this address." in text_of(refused)
    assert "Total without delivery €19.80" in text_of(refused)
    assert not Order.objects.exists()


def test_a_pickup_is_on_the_order_where_the_shop_offers_it(desk: Client, settings: Any) -> None:
    place(filled(desk))
    settings.DELIVERY_PICKUP = False

    assert Order.objects.get().delivery["carrier"] == "pickup"
    assert new_page(desk).values["handover"] == ["delivery"]


def test_carriers_are_asked_after_the_part_that_was_changed_is_shown(
    desk: Client, settings: Any
) -> None:
    page = deliverable(desk)
    settings.DELIVERY_FLAT_RATE = {"*": Decimal("4.90")}

    answers = {
        part: desk.post(
            page.url,
            {**page.values, "do": "look"},
            headers={"HX-Request": "true", "HX-Target": part},
        )
        for part in ("found-products", "order-lines", "order-quotes")
    }

    asked = {part: answer.context["offer"].is_asked for part, answer in answers.items()}
    assert asked == {"found-products": False, "order-lines": False, "order-quotes": True}
    due = [part for part, answer in answers.items() if "HX-Trigger-After-Settle" in answer.headers]
    assert due == ["order-lines"]


def test_the_address_has_the_fields_of_its_country_and_loses_nothing(desk: Client) -> None:
    page, american = press(deliverable(desk), "look", country="US")
    assert "ZIP code" in text_of(american)
    assert '<option value="IL">Illinois' in american.content.decode()
    unsure, _singapore = press(page, "look", country="SG", region="IL")
    page, _american = press(unsure, "look", country="US")
    assert [page.values[name] for name in ("region", "city")] == [["IL"], ["York"]]

    refused = place(page)
    assert "This doesn’t fit the country (United States)" in text_of(refused)
    place(read_page(desk, page.url, refused.content.decode()), postcode="62701-1234")
    illinois = {"country": "US", "region": "IL", "postcode": "62701-1234"}
    assert Order.objects.get().address == YORK | illinois


def fail_with(monkeypatch: pytest.MonkeyPatch, error: PlacementError) -> None:
    def refuse(request: object) -> None:
        raise error

    monkeypatch.setattr("orders.desk.new_order.page.place_order", refuse)


INVALID = InvalidOrder(
    [
        FieldError("email", "No such place."),
        FieldError("lines.0.sku", "There is no such product."),
        FieldError("lines", "Too much."),
    ]
)


REFUSALS = [
    (ShopBusy(retry_after=7), 503, ["The shop is busy right now."]),
    (OutcomeUnknown(uuid4()), 503, ["it is never placed twice", "See whether it is there"]),
    (PlacementFailed(), 500, ["Something went wrong on our side."]),
    (INVALID, 422, ["No such place.", "There is no such product.", "Too much."]),
]


def test_a_refusal_is_told_and_keeps_the_page_and_its_key(
    desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = filled(desk)
    untold = {}
    with monkeypatch.context() as patched:
        for error, status, sentences in REFUSALS:
            fail_with(patched, error)
            refused = place(page)
            again = read_page(desk, page.url, refused.content.decode())
            is_kept = without_token(again) == without_token(page)
            if not is_kept or refused.status_code != status:
                untold[error] = refused.status_code, again.values
            untold |= {text: error for text in sentences if text not in text_of(refused)}
            if isinstance(error, ShopBusy):
                assert refused.headers["Retry-After"] == "7"

    assert untold == {}
    assert f'action="{page.url.removeprefix(ADD)}"' in refused.content.decode()
    place(again)
    assert Order.objects.get().name == "Grace Hopper"


def without_token(page: OpenedPage) -> dict[str, Any]:
    return {name: value for name, value in page.values.items() if "csrf" not in name}


def test_too_little_stock_is_told_at_the_line(desk: Client) -> None:
    page = filled(desk)
    Stock.objects.update(available=1)

    refused = place(page)

    assert refused.status_code == 409
    assert "Only 1 is left." in text_of(refused)
    assert not Order.objects.exists()
    page, _answer = press(
        read_page(desk, page.url, refused.content.decode()), "look", **{"line-0-quantity": "1"}
    )
    place(page)
    assert Order.objects.get().lines.get().quantity == 1


def test_a_page_without_its_key_or_total_places_nothing(desk: Client) -> None:
    page = filled(desk)

    without_key = desk.post(f"{ADD}?key=x", {**page.values, "do": "place"})
    without_total = place(page, expected_total="NaN")
    without_lines = place(new_page(desk), **GRACE)

    assert "came damaged" in text_of(without_key)
    assert "came damaged" in text_of(without_total)
    assert "add a product first" in text_of(without_lines)
    assert not Order.objects.exists()


def test_a_line_can_be_removed_and_one_that_left_the_shop_is_told(desk: Client) -> None:
    add_product("CUP")
    page, _answer = press(filled(desk), "add:CUP")
    Product.objects.filter(sku="CUP").update(is_active=False)

    refused = place(page)
    assert "It is no longer on sale. Remove it." in text_of(refused)

    page, _answer = press(read_page(desk, page.url, refused.content.decode()), "remove:CUP")
    place(page)
    assert [*Order.objects.get().lines.values_list("sku", flat=True)] == ["MUG"]


def test_a_product_that_needs_the_customers_file_is_refused_with_the_reason(desk: Client) -> None:
    add_product("PRINT", personalisation="picture", requires_upload=True)

    page, found = press(filled(desk), "look", find_product="print")
    assert "It is made with a picture or video of the customer" in text_of(found)
    assert 'value="add:PRINT"' not in found.content.decode()

    page, _answer = press(page, "add:PRINT")
    assert "who orders it in the shop" in text_of(place(page))
    assert not Order.objects.exists()


def account(email: str, *, is_confirmed: bool) -> User:
    user = User.objects.create_user(email, email, name="Grace Hopper", language="zh-hans")
    user.addresses.create(**YORK, is_default=True)
    EmailAddress.objects.create(user=user, email=email, verified=is_confirmed, primary=True)
    return user


def test_a_voucher_that_the_customer_names_is_counted_and_used(desk: Client) -> None:
    voucher = add_voucher(code="TEN")

    page, shown = press(filled(desk), "look", voucher="t en")
    answer = page.send_and_follow(do="place")

    assert "Voucher TEN −€1.98" in text_of(shown)
    assert "€17.82" in text_of(shown)
    order = Order.objects.get()
    assert (order.voucher_code, order.discount_total) == ("TEN", Decimal("1.98"))
    assert order.total == Decimal("17.82")
    assert "Voucher TEN" in text_of(answer)
    voucher.refresh_from_db()
    assert voucher.used == 1


def test_a_voucher_that_can_not_be_used_is_told_before_and_at_the_order(desk: Client) -> None:
    add_voucher(code="ONCE", limit=1)
    page, unknown = press(filled(desk), "look", voucher="NONE")
    refused = place(page, voucher="NONE")
    page, _shown = press(page, "look", voucher="ONCE")
    Voucher.objects.update(used=1)
    late = place(page)

    assert "There is no voucher with this code." in text_of(unknown)
    assert refused.status_code == 422
    assert "There is no voucher with this code." in refused.context["customer"].errors["voucher"]
    assert late.status_code == 409
    assert "has been used up" in str(late.context["customer"].errors["voucher"])
    assert not Order.objects.exists()


def test_an_order_belongs_to_the_account_that_has_confirmed_its_address(desk: Client) -> None:
    grace = account("grace@example.org", is_confirmed=True)
    page, found = press(new_page(desk), "look", find_customer="hopper")
    assert "grace@example.org" in text_of(found)

    page, _answer = press(page, f"take:account:{grace.pk}")
    page, _answer = press(page, "add:MUG")
    place(page)

    order = Order.objects.get()
    assert (order.user, order.language, order.address) == (grace, "zh-hans", YORK)


def test_an_account_that_has_not_confirmed_its_address_is_not_offered(desk: Client) -> None:
    mallory = account("grace@example.org", is_confirmed=False)

    page, found = press(filled(desk), "look", find_customer="hopper")
    page, taken = press(page, f"take:account:{mallory.pk}", name="Grace")
    place(page)

    assert "Nobody found" in text_of(found)
    assert taken.context["customer"]["line1"].value() == ""
    assert Order.objects.get().user is None


def test_a_customer_is_found_by_what_people_say(desk: Client) -> None:
    known = GRACE | {"phone": "+494319010", "name": "Grace Hopper 王伟"}
    order = place_order(order_request(("MUG", 1), **known)).order
    place_order(order_request(("MUG", 1), name="Ada", email="ada@example.org"))
    page = new_page(desk)

    found = {
        said: [
            each.email for each in press(page, "look", find_customer=said)[1].context["customers"]
        ]
        for said in (str(order), "grace@exa", "0431 / 90 10", "hOPPer gräce", "王伟")
    }

    assert {said: emails for said, emails in found.items() if emails != ["grace@example.org"]} == {}


def test_an_operator_is_not_limited_as_a_shopper_is(desk: Client, settings: Any) -> None:
    settings.ORDER_LIMITS = dict.fromkeys(("address", "email", "session", "all"), Rate(1, 3600))

    place(filled(desk))
    place(filled(desk))

    assert Order.objects.count() == 2
    assert not LimitCounter.objects.exists()


def test_htmx_gets_the_form_alone_and_few_queries_however_many_lines(desk: Client) -> None:
    for number in range(30):
        add_product(f"CUP{number}")
    page = filled(desk)
    queries = []
    for _lines in range(2):
        with CaptureQueriesContext(connection) as taken:
            answer = desk.post(
                page.url,
                {**page.values, "do": "look", "find_product": "cup", "find_customer": "hopper"},
                headers={"HX-Request": "true"},
            )
        queries.append(len(taken))
        for number in range(30):
            page.values |= {
                f"line-{number + 1}-{name}": [value]
                for name, value in {"sku": f"CUP{number}", "quantity": "1"}.items()
            }

    assert "<html" not in answer.content.decode()
    assert len(answer.context["lines"]) == 31
    assert queries[0] == queries[1] <= 11


@pytest.fixture
def viewer(db: None) -> Client:
    user = User.objects.create_user("victor", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_order"))
    client = Client()
    client.force_login(user)
    return client


def test_only_who_may_make_orders_is_led_to_the_page(desk: Client, viewer: Client) -> None:
    for path in ("/admin/", "/admin/orders/order/"):
        assert "Make an order" in text_of(desk.get(path))
        assert "Make an order" not in text_of(viewer.get(path))
    assert viewer.post(f"{ADD}?key={'k' * 32}", {"do": "place"}).status_code == 403
