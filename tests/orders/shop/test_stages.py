"""The words of an order's page, for each status, way to pay and kind of delivery."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from orders.models import Order
from orders.shop.payment import PaymentState
from orders.shop.stages import stages_of
from orders.shop.tracking import Parcel

DELIVERY = {"line1": "Am Kai 1", "city": "Kiel", "postcode": "24103", "country": "DE"}
PICKUP: dict[str, str] = {}
DUE = Decimal("10.00")
NONE = Decimal(0)
DHL = Parcel("DHL", "JD01")

PLACED = "is placed, and its items are set aside for you."
PACKING = "We pack your order, and hand it to the carrier."
PACKING_PICKUP = "We pack your order. This page says when it is ready to be picked up."
TO_DELIVER = ["Placed", "Paid", "Packed", "On its way"]
TO_PICK_UP = ["Placed", "Paid", "Ready to pick up", "Picked up"]
PAID_AT_PICKUP = ["Placed", "Ready to pick up", "Paid", "Picked up"]


def stages(
    status: str, address: dict[str, str], method: str = "", *, due: Decimal = NONE, **state: Any
) -> Any:
    order = Order(
        status=status,
        address=address,
        payment_method=method,
        total=state.pop("total", DUE),
        currency="EUR",
    )
    parcel = state.pop("parcel", None)
    return stages_of(order, PaymentState(due, chosen=method, **state), parcel)


def named(case: Any) -> str:
    """Name a case by its order: status, kind of delivery, way to pay."""
    if not isinstance(case, tuple):
        return ""
    status, address, *method = case
    return "-".join([status, "delivery" if address else "pickup", *method])


@pytest.mark.parametrize(
    ("order", "news", "comes", "titles", "done"),
    [
        # To be paid first
        (("placed", DELIVERY), PLACED, "You pay €10.00. Then we pack your order.", TO_DELIVER, 1),
        (
            ("placed", DELIVERY, "stripe"),
            PLACED,
            "You pay €10.00. Then we pack your order.",
            TO_DELIVER,
            1,
        ),
        (
            ("placed", PICKUP, "transfer"),
            PLACED,
            "Your transfer of €10.00 arrives. Then we pack your order.",
            TO_PICK_UP,
            1,
        ),
        (
            ("placed", PICKUP, "pickup"),
            PLACED,
            "We pack your order. This page says when it is ready; you pay when you come.",
            PAID_AT_PICKUP,
            1,
        ),
        # Paid
        (
            ("paid", DELIVERY),
            "is paid, and will be packed soon.",
            PACKING,
            TO_DELIVER,
            2,
        ),
        (
            ("paid", PICKUP, "transfer"),
            "is paid, and will be packed soon.",
            PACKING_PICKUP,
            TO_PICK_UP,
            2,
        ),
        # Paid at pick-up, but earlier: the stage of packing is still open
        (
            ("paid", PICKUP, "pickup"),
            "is paid, and will be packed soon.",
            PACKING_PICKUP,
            PAID_AT_PICKUP,
            2,
        ),
        (("packed", DELIVERY), "is packed.", "It is handed to the carrier.", TO_DELIVER, 3),
        (
            ("packed", PICKUP),
            "is ready to be picked up.",
            "You pick it up in the shop.",
            TO_PICK_UP,
            3,
        ),
        (
            ("shipped", DELIVERY),
            "is on its way.",
            "It arrives, with DHL.",
            TO_DELIVER,
            4,
        ),
        (("delivered", DELIVERY), "has arrived.", "", [*TO_DELIVER[:3], "Delivered"], 4),
        (("delivered", PICKUP), "was picked up.", "", TO_PICK_UP, 4),
        (("cancelled", DELIVERY), "is cancelled.", "", [], 0),
        (("refunded", PICKUP), "is refunded.", "", [], 0),
    ],
    ids=named,
)
def test_each_status_is_told_in_words_that_are_true(
    order: tuple[Any, ...], news: str, comes: str, titles: list[str], done: int
) -> None:
    due = DUE if order[0] == "placed" else NONE
    told = stages(*order, due=due, parcel=DHL if order[0] == "shipped" else None)

    assert (told.news, told.next) == (news, comes)
    assert [stage.title for stage in told.rows] == titles
    assert sum(stage.state == "done" for stage in told.rows) == done
    open_ones = [stage.state for stage in told.rows if stage.state != "done"]
    assert open_ones == ["next", *["later"] * (len(titles) - done - 1)][: len(open_ones)]


@pytest.mark.parametrize(
    ("order", "money", "comes"),
    [
        # The bank hasn't answered, or the staff look at the money first
        (
            ("placed", DELIVERY, "stripe"),
            {"waits_since": timedelta(seconds=3)},
            "The bank answers about your payment. Then we pack your order.",
        ),
        (
            ("placed", DELIVERY, "stripe"),
            {"is_being_checked": True},
            "We look at your last payment.",
        ),
        # Overdue, and paid in part
        (
            ("placed", DELIVERY, "transfer"),
            {"is_late": True, "until": timezone.now()},
            "Your payment of €10.00 is late. Without it the order may be cancelled.",
        ),
        (
            ("placed", DELIVERY, "transfer"),
            {"due": Decimal("4.00")},
            "Your transfer of €4.00 arrives. Then we pack your order.",
        ),
        # Nothing to pay
        (("placed", DELIVERY), {"due": NONE, "total": NONE}, PACKING),
        (("placed", PICKUP), {"due": NONE, "total": NONE}, PACKING_PICKUP),
        # Packed, but not paid: at pick-up, or because a payment was undone
        (
            ("packed", PICKUP, "pickup"),
            {},
            "You pick it up in the shop, and pay €10.00 there.",
        ),
        (
            ("packed", PICKUP, "transfer"),
            {},
            "You pick it up in the shop. €10.00 is still due for it.",
        ),
        (
            ("packed", DELIVERY),
            {},
            "It is handed to the carrier. €10.00 is still due for it.",
        ),
        (("shipped", DELIVERY), {}, "It arrives. €10.00 is still due for it."),
        (("delivered", PICKUP, "pickup"), {}, "€10.00 is still due for it."),
        # Cancelled after it was paid
        (
            ("cancelled", DELIVERY),
            {"due": NONE, "headline": "You get back €10.00."},
            "We send your money back.",
        ),
    ],
    ids=named,
)
def test_what_comes_next_depends_on_the_money(
    order: tuple[Any, ...], money: dict[str, Any], comes: str
) -> None:
    told = stages(*order, **{"due": DUE} | money)

    assert told.next == comes
    paid = [stage.state for stage in told.rows if stage.title == "Paid"]
    assert "done" not in paid


def test_an_order_that_costs_nothing_is_not_called_paid() -> None:
    rows = stages("placed", DELIVERY, total=NONE).rows

    assert [(stage.title, stage.state) for stage in rows[:3]] == [
        ("Placed", "done"),
        ("Nothing to pay", "done"),
        ("Packed", "next"),
    ]


@pytest.mark.parametrize(
    ("status", "address", "word"),
    [
        ("packed", PICKUP, "Ready to pick up"),
        ("delivered", PICKUP, "Picked up"),
        ("packed", DELIVERY, "Packed"),
        ("delivered", DELIVERY, "Delivered"),
    ],
)
def test_the_status_is_a_word_for_its_kind_of_delivery(
    status: str, address: dict[str, str], word: str
) -> None:
    assert stages(status, address).status == word


@pytest.mark.parametrize(
    ("carrier", "number", "url"),
    [
        ("DHL", "JD 01/é", "https://track.example/?n=JD%2001%2F%C3%A9"),
        ("royal Mail", "RM1", "https://rm.example/RM1"),
        ("DHL", "", ""),
        ("Bike", "1", ""),
    ],
    ids=["escaped", "two words", "no number", "unknown carrier"],
)
def test_a_known_carrier_has_a_link_to_the_parcel(
    settings, carrier: str, number: str, url: str
) -> None:
    settings.TRACKING_LINKS = {
        "dhl": "https://track.example/?n={number}",
        "royalmail": "https://rm.example/{number}",
    }
    assert Parcel(carrier, number).url == url
