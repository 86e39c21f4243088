"""The life of a demo order: what was ordered, and each step from placed to its end.

A life is planned to its end and then cut at the end of the history. So the orders of the last days
are open in every state, as in any shop.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from math import exp
from random import Random
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid5

from django.conf import settings
from django.utils.translation import ngettext, override

from orders.demo.orders.catalogue import Goods
from orders.demo.orders.deliveries import Delivery
from orders.demo.orders.life import Life, Line, Payment, Placed, Refund, Step
from orders.demo.orders.shoppers import Shopper
from orders.demo.orders.weighted import Weighted
from orders.models import Order
from orders.placing.identity import order_id
from orders.placing.request import ChosenDelivery, OrderRequest

BY_DESK = 25
"""Every so many orders one was made at the desk, without a price by hand."""
UNPAID_HOURS = 72
"""After so long an unpaid order of the history was cancelled, unless PAYMENT_DUE_HOURS says."""
CORRECTED = 0.01
"""The share of parcels whose details were corrected."""
CARRIERS = ("DHL", "UPS", "GLS", "顺丰速运")
METHODS = Weighted(("card", "transfer", "cash", "other"), (60, 32, 5, 3))
STAFF_REASONS = ("Damaged in our store", "The supplier can't deliver", "We had it one time too few")
RETURN_REASONS = ("", "Didn't fit", "Arrived broken", "Ordered twice", "颜色不对")


def key_of(position: int, *, seed: int) -> str:
    """Return the idempotency key of a demo order, from which its id derives."""
    return f"demo-orders-{seed}-{position}"


def source_of(position: int) -> Order.Source:
    """Return the source of a demo order."""
    return Order.Source.DESK if position % BY_DESK == BY_DESK - 1 else Order.Source.SHOP


def live(
    *,
    position: int,
    seed: int,
    shopper: Shopper,
    clerk_id: int,
    chosen: list[tuple[Goods, int]],
    placed_at: datetime,
    until: datetime,
    delivery: Delivery,
    random: Random,
) -> Life:
    """Return the life of one order, up to `until`."""
    lines = [Line(goods, quantity) for goods, quantity in chosen]
    order = _order(position, seed, shopper, lines, placed_at, delivery)
    placed = Step("placed", placed_at)
    if order.door == Order.Source.DESK:
        placed.user_id = clerk_id
    life = Life(position, order, shopper, clerk_id, lines, [placed])
    for step, apply in _plan(life, random):
        if step.at >= until:
            break
        apply()
        step.user_id = clerk_id if step.is_by_clerk else None
        life.steps.append(step)
        if step.kind == "cancelled":
            life.cancellation = step
        if step.kind != "media_ready":
            life.order.changed_at = step.at
    return life


def _order(
    position: int,
    seed: int,
    shopper: Shopper,
    lines: Sequence[Line],
    placed_at: datetime,
    delivery: Delivery,
) -> Placed:
    key, source = key_of(position, seed=seed), source_of(position).value
    content: dict[str, Any] = {
        "name": shopper.name,
        "email": shopper.email,
        "phone": shopper.phone,
        "language": shopper.language,
        "address": shopper.address,
    }
    # It has what the fingerprint reads of a request, and takes a tenth of its time to make.
    request = SimpleNamespace(
        **content,
        merged_lines={line.sku: line.quantity for line in lines},
        uploads={},
        operator=None,
        delivery=_chosen(delivery),
        voucher="",
    )
    total = sum([line.total for line in lines], Decimal(0))
    return Placed(
        pk=str(order_id(source=source, user_id=shopper.user_id, key=key)),
        door=source,
        user_id=shopper.user_id,
        fingerprint=OrderRequest.fingerprint(cast(OrderRequest, request)),
        currency=settings.SHOP_CURRENCY,
        items_total=total,
        delivery_total=delivery.price,
        total=total + delivery.price,
        delivery=delivery.kept,
        placed_at=placed_at,
        changed_at=placed_at,
        **content,
    )


def _chosen(delivery: Delivery) -> ChosenDelivery | None:
    kept = delivery.kept
    return ChosenDelivery(kept["carrier"], kept["service"]) if kept else None


_Plan = Iterator[tuple[Step, Callable[[], None]]]


def _plan(life: Life, random: Random) -> _Plan:
    """Yield each step with its effect, which is to be applied before the next one is asked for."""
    order, at = life.order, life.order.placed_at
    fate = random.random()
    if fate < 0.035:
        hours = settings.PAYMENT_DUE_HOURS or UNPAID_HOURS
        yield _cancelled(life, at + timedelta(hours=hours, seconds=12), _unpaid(order, hours))
        return
    if fate < 0.045:
        yield _cancelled(life, _later(at, random, minutes=40), {"reason": "", "by_shopper": True})
        return
    for step, apply in _paid(life, random):
        yield step, apply
        at = step.at
    if fate < 0.06:
        at = _later(at, random, minutes=90)
        yield _cancelled(life, at, {"reason": "", "by_shopper": True})
        yield _paid_out(life.refunds[-1], at, random)
        return
    if fate < 0.075:
        at = _later(at, random, minutes=900)
        detail = {"reason": random.choice(STAFF_REASONS), "by_shopper": False}
        yield _cancelled(life, at, detail)
        yield _paid_out(life.refunds[-1], at, random)
        return
    at = _later(at, random, minutes=700)
    yield Step("packed", at), _moved(order, Order.Status.PACKED)
    if order.address:
        for step, apply in _shipped(life, at, random):
            yield step, apply
            at = step.at
    at = _later(at, random, minutes=2400)
    yield Step("delivered", at), _moved(order, Order.Status.DELIVERED)
    if random.random() < 0.06:
        yield from _returned(life, at, random)


def _later(at: datetime, random: Random, *, minutes: float) -> datetime:
    """Return a time after this one, usually by so many minutes."""
    return at + timedelta(0, 60 + min(exp(random.gauss(0, 0.8)), 6) * 60 * minutes)


def _moved(order: Placed, status: str) -> Callable[[], None]:
    def move() -> None:
        order.status = status

    return move


def _paid(life: Life, random: Random) -> _Plan:
    order, at = life.order, _later(life.order.placed_at, random, minutes=random.choice((4, 4, 600)))
    method = METHODS.draw(random)
    parts = [order.total]
    if random.random() < 0.02 and order.total > 1:
        first = (order.total / 2).quantize(Decimal("0.01"))
        parts = [first, order.total - first]
    for number, amount in enumerate(parts, start=1):
        reference = f"{method[:2].upper()}-{random.getrandbits(40):010x}-{number}"
        detail = {"method": method, "reference": reference, "amount": str(amount)}
        payment = Payment(method, reference, amount, at)
        is_last = number == len(parts)

        def pay(payment: Payment = payment, is_last: bool = is_last) -> None:
            life.payments.append(payment)
            if is_last:
                order.status = Order.Status.PAID

        yield Step("paid" if is_last else "part_paid", at, detail), pay
        at = _later(at, random, minutes=1500)


def _shipped(life: Life, at: datetime, random: Random) -> _Plan:
    at = _later(at, random, minutes=300)
    carrier = random.choice(CARRIERS)
    number = f"JD{random.getrandbits(44):014d}" if random.random() < 0.9 else ""
    detail: dict[str, Any] = {"carrier": carrier, "tracking_number": number}
    yield Step("shipped", at, detail), _moved(life.order, Order.Status.SHIPPED)
    if random.random() < CORRECTED:
        at = _later(at, random, minutes=60)
        right = {"corrected": True, "carrier": carrier, "tracking_number": f"{number}7"}
        yield Step("parcel_corrected", at, right, "correction-1"), lambda: None


def _unpaid(order: Placed, hours: int) -> dict[str, Any]:
    with override(order.language):
        reason = ngettext(
            "It was not paid within %(hours)d hour.",
            "It was not paid within %(hours)d hours.",
            hours,
        ) % {"hours": hours}
    return {"reason": reason, "expired": True}


def _cancelled(life: Life, at: datetime, detail: dict[str, Any]) -> tuple[Step, Callable[[], None]]:
    paid = sum((payment.amount for payment in life.payments), Decimal(0))
    rest = {**detail}
    reason = rest.pop("reason")

    def cancel() -> None:
        life.order.status = Order.Status.CANCELLED
        if paid:
            refund_id = str(uuid5(UUID(life.order.pk), "cancelled"))
            user_id = life.clerk_id if step.is_by_clerk else None
            life.refunds.append(Refund(refund_id, paid, True, reason, at, user_id))

    said = {"reason": reason, "given_back": str(paid) if paid else "", **rest}
    step = Step("cancelled", at, said)
    return step, cancel


def _returned(life: Life, at: datetime, random: Random) -> _Plan:
    """Refund everything, or one unit and perhaps later the others."""
    in_parts = random.random() < 0.5 and (len(life.lines) > 1 or life.lines[0].quantity > 1)
    if in_parts:
        at = _later(at, random, minutes=9000)
        yield _refunded(life, at, [(random.choice(life.lines), 1)], random)
        step, pay_out = _paid_out(life.refunds[-1], at, random)
        yield step, pay_out
        at = step.at
        if random.random() < 0.8:
            return
    at = _later(at, random, minutes=9000)
    left = [
        (line, line.quantity - line.refunded)
        for line in life.lines
        if line.quantity > line.refunded
    ]
    yield _refunded(life, at, left, random)
    yield _paid_out(life.refunds[-1], at, random)


def _paid_out(refund: Refund, at: datetime, random: Random) -> tuple[Step, Callable[[], None]]:
    at = _later(at, random, minutes=1500)
    reference = f"OUT-{random.getrandbits(40):010x}"

    def pay_out() -> None:
        refund.paid_out_at, refund.payout_reference = at, reference

    return Step("paid_out", at, {"amount": str(refund.amount), "reference": reference}), pay_out


def _refunded(
    life: Life, at: datetime, units: list[tuple[Line, int]], random: Random
) -> tuple[Step, Callable[[], None]]:
    is_all = sum(line.quantity - line.refunded for line in life.lines) == sum(
        count for _line, count in units
    )
    price = sum((line.unit_price * count for line, count in units), Decimal(0))
    refund = Refund(
        id=str(UUID(int=random.getrandbits(128), version=4)),
        amount=price + life.order.delivery_total if is_all else price,
        restocked=random.random() < 0.8,
        reason=random.choice(RETURN_REASONS),
        at=at,
        user_id=life.clerk_id,
        lines=units,
    )

    def give_back() -> None:
        life.refunds.append(refund)
        for line, count in units:
            line.refunded += count
        if is_all:
            life.order.status = Order.Status.REFUNDED

    detail = {
        "amount": str(refund.amount),
        "restocked": refund.restocked,
        "reason": refund.reason,
        "items": [{"sku": line.sku, "name": line.name, "quantity": count} for line, count in units],
    }
    step = Step("refunded" if is_all else "part_refunded", at, detail, refund.id)
    return step, give_back
