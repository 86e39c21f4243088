"""Orders with a voucher: what they cost, whose use is counted, and when it is given back."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from notifications.models import Notification
from orders.desk.next_steps import next_steps
from orders.invoicing.issue import issue
from orders.lifecycle.payments import pay
from orders.lifecycle.refunds import refund
from orders.lifecycle.transitions import cancel, deliver, pack
from orders.models import Order, OrderLine, ProductSales, Refund, RefundLine, Voucher, VoucherUse
from orders.placing.errors import (
    InvalidOrder,
    KeyReused,
    OutOfStock,
    TotalChanged,
    VoucherRefused,
)
from orders.placing.placement import place_order
from orders.placing.writers import drain
from project.monitoring.audit import run_audit
from tests.factories import add_product, add_voucher, new_key, order_request

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])


def placed(*lines: tuple[str, int], **changes: Any) -> Order:
    return place_order(order_request(*lines, **{"voucher": "TEN", **changes})).order


def used() -> int:
    return Voucher.objects.get().used


# ── Placing ─────────────────────────────────────────────────────────────────────────────────
def test_the_order_costs_less_and_the_use_is_counted(settings: Any) -> None:
    settings.TAX_RATE = Decimal(19)
    add_voucher()
    product = add_product("MUG", price="10.00")
    add_product("CUP", price="0.99")

    order = placed(("MUG", 2), ("CUP", 1))
    drain()

    stored = Order.objects.get()
    assert (stored.items_total, stored.discount_total, stored.total) == (
        Decimal("20.99"),
        Decimal("2.10"),
        Decimal("18.89"),
    )
    assert (stored.voucher_code, order.voucher_code) == ("TEN", "TEN")
    assert list(stored.lines.values_list("sku", "discount")) == [
        ("MUG", Decimal("2.00")),
        ("CUP", Decimal("0.10")),
    ]
    assert VoucherUse.objects.values_list("order_id", "amount").get() == (order.pk, Decimal("2.10"))
    assert used() == 1
    assert ProductSales.objects.get(product=product).amount == Decimal("18.00")
    assert run_audit().is_clean


def test_a_total_that_the_shopper_saw_without_it_is_not_charged() -> None:
    add_voucher()
    add_product("MUG", price="10.00")

    with pytest.raises(TotalChanged) as changed:
        placed(("MUG", 1), expected_total=Decimal("10.00"))

    assert changed.value.total == Decimal("9.00")
    assert used() == 0


def test_an_unknown_code_is_a_mistake_and_one_that_is_over_is_refused() -> None:
    add_voucher(ends_at=timezone.now() - timedelta(hours=1))
    add_product("MUG")

    with pytest.raises(InvalidOrder) as invalid:
        placed(("MUG", 1), voucher="NINE")
    with pytest.raises(VoucherRefused) as refused:
        placed(("MUG", 1))

    assert [error.field for error in invalid.value.errors] == ["voucher"]
    assert refused.value.reason == "ended"
    assert not Order.objects.exists()


def test_the_limit_and_the_limit_of_a_person_hold() -> None:
    add_voucher(limit=3, limit_per_person=1)
    add_product("MUG")
    placed(("MUG", 1), email="ada@example.org")

    with pytest.raises(VoucherRefused) as own:
        placed(("MUG", 1), email="Ada+2@example.org")
    placed(("MUG", 1), email="bob@example.org")
    placed(("MUG", 1), email="eve@example.org")
    with pytest.raises(VoucherRefused) as every:
        placed(("MUG", 1), email="dan@example.org")

    assert (own.value.reason, every.value.reason) == ("used_by_person", "used_up")
    assert used() == 3
    assert run_audit().is_clean


def test_a_person_stays_the_same_when_the_secret_key_is_rotated(settings: Any) -> None:
    add_voucher(limit_per_person=1)
    add_product("MUG")
    placed(("MUG", 1))
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]

    with pytest.raises(VoucherRefused):
        placed(("MUG", 1))


def test_a_performance_run_uses_no_voucher() -> None:
    add_voucher()
    add_product("MUG")

    with pytest.raises(InvalidOrder):
        placed(("MUG", 1), is_synthetic=True)


def test_a_repeat_uses_it_once_and_with_another_code_it_is_another_order() -> None:
    add_voucher(limit=1)
    add_product("MUG")
    key = new_key()
    first = placed(("MUG", 1), key=key)

    assert placed(("MUG", 1), key=key).pk == first.pk  # though it is used up
    assert used() == 1
    with pytest.raises(KeyReused):
        placed(("MUG", 1), key=key, voucher="")


def test_a_refused_order_counts_no_use() -> None:
    add_voucher()
    add_product("MUG", stock=1)

    with pytest.raises(OutOfStock):
        placed(("MUG", 2))

    assert used() == 0
    assert not VoucherUse.objects.exists()


def test_an_order_may_cost_nothing() -> None:
    add_voucher(value=100)
    add_product("MUG", price="10.00")

    order = placed(("MUG", 1))

    assert order.total == 0
    assert list(next_steps(order)) == ["pack", "cancel"]
    pack(order_id=order.pk)
    deliver(order_id=order.pk)
    drain()
    assert run_audit().is_clean


# ── After it ────────────────────────────────────────────────────────────────────────────────
def test_a_cancelled_order_gives_its_use_back_once() -> None:
    add_voucher(limit=1)
    add_product("MUG")
    order = placed(("MUG", 1))

    for _ in range(2):
        cancel(order_id=order.pk, by_shopper=True)
    drain()

    assert used() == 0
    assert VoucherUse.objects.get().given_back_at is not None
    assert placed(("MUG", 1)).discount_total > 0
    drain()
    assert run_audit().is_clean


def test_refunds_give_back_what_was_paid_to_the_cent(settings: Any) -> None:
    """Three units for 10.00 less 10.00 % of it: 8.99 was paid for the first, or 9.00."""
    settings.TAX_RATE = Decimal(19)
    for name in ("COMPANY_NAME", "COMPANY_ADDRESS", "COMPANY_TAX_ID"):
        setattr(settings, name, "Tandem")
    add_voucher(kind="amount", value=Decimal("1.00"))
    product = add_product("MUG", price="10.00")
    order = placed(("MUG", 3))
    pay(order_id=order.pk, method="cash", reference="1", amount=Decimal("29.00"))
    pack(order_id=order.pk)
    deliver(order_id=order.pk)
    with transaction.atomic():
        issue(Order.objects.get())

    for _ in range(3):
        refund(order_id=order.pk, refund_id=uuid4(), restock=True, lines={"MUG": 1})
    drain()

    assert [str(made.amount) for made in Refund.objects.order_by("created_at")] == [
        "9.67",
        "9.66",
        "9.67",
    ]
    assert sum(RefundLine.objects.values_list("discount", flat=True)) == Decimal("1.00")
    assert ProductSales.objects.get(product=product).amount == 0
    papers = order.invoices.order_by("pk").values_list("data", flat=True)
    assert [data["total"] for data in papers] == ["29.00", "9.67", "9.66", "9.67"]
    assert "TEN" in papers[0]["lines"][0]["name"]
    assert run_audit().is_clean


def test_the_message_says_what_the_voucher_took_off() -> None:
    add_voucher()
    add_product("MUG", price="10.00")

    order = placed(("MUG", 1))

    context = Notification.objects.filter(order_id=order.pk).first().context
    assert context["discount"] == {"code": "TEN", "amount": "1.00"}
    assert context["total"] == "9.00"


# ── What the database refuses ───────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "fields",
    [
        {"code": "ten"},
        {"code": "A"},
        {"value": 0},
        {"value": 101},
        {"limit": 2, "used": 3},
        {"starts_at": timezone.now(), "ends_at": timezone.now() - timedelta(days=1)},
    ],
)
def test_a_voucher_that_makes_no_sense_is_not_stored(fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        add_voucher(**fields)
    with pytest.raises(ValidationError):
        Voucher(**{"code": "TEN", "kind": "percent", "value": 10, **fields}).full_clean()


def test_a_discount_is_of_what_it_is_taken_off() -> None:
    add_voucher()
    add_product("MUG", price="10.00")
    placed(("MUG", 1))

    with pytest.raises(IntegrityError):
        OrderLine.objects.update(discount=Decimal("10.01"))
    with pytest.raises(IntegrityError):
        Order.objects.update(discount_total=Decimal("2.00"))


def test_the_audit_finds_uses_that_nobody_counted() -> None:
    add_voucher()
    add_product("MUG", price="10.00")
    placed(("MUG", 1))
    Voucher.objects.update(used=0)

    found = [finding["name"] for finding in run_audit().findings if finding["violations"]]

    assert [name.partition(":")[0] for name in found] == ["vouchers"]
