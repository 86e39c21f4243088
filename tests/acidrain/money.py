"""Attacks with a payment at the bank: reported several times at once, or against a cancellation."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from django.db.models import Sum

from notifications.receipts.signature import sign
from orders.models import Order, Payment, Refund, Stock
from orders.payments.test_bank.store import BankStore
from orders.payments.test_bank.webhook import PATH, SIGNATURE, TIMESTAMP, said, webhook_secret
from tests.acidrain.attack import Attack, Race, Shop
from tests.acidrain.people import Answer, Browser
from tests.factories import add_product
from tests.order_states import placed

STOCK = 5


@dataclass(frozen=True)
class PaidAtBank:
    """An order that its shopper has paid at the bank, and the shop doesn't know it."""

    order: Order
    shopper: Browser
    way_back: str
    """The page to which the bank leads."""
    payment_id: str


def paid_at_bank(shop: Shop, sku: str) -> PaidAtBank:
    shopper, order = Browser(shop.url), placed((sku, 1))
    page = shopper.post(f"/orders/{order.pk}/pay/", provider="test-bank").leads_to
    way_back = shopper.post(page, decision="pay", answer="return").leads_to
    return PaidAtBank(order, shopper, way_back, payment_id=page.strip("/").rpartition("/")[2])


def report(url: str, payment_id: str) -> Answer:
    """Send the bank's webhook."""
    payment = BankStore().get(payment_id)
    assert payment is not None, payment_id
    body, now = json.dumps({"type": "payment", "payment": said(payment)}).encode(), int(time.time())
    signature = sign(body, secret=webhook_secret(), timestamp=now)
    return Browser(url).send_json(PATH, body, **{TIMESTAMP: str(now), SIGNATURE: signature})


# ── One payment, reported three times ───────────────────────────────────────────────────────────
def reported_at_once(shop: Shop, number: int) -> Race:
    """The bank's webhook comes twice while the shopper comes back."""
    paid = paid_at_bank(shop, add_product(f"PAID-{number}", stock=STOCK).sku)
    webhook = partial(report, shop.url, paid.payment_id)
    back = partial(paid.shopper.get, paid.way_back)
    return Race([webhook, back, webhook], partial(_entered_twice, paid.order))


def _entered_twice(order: Order, answers: Sequence[Answer]) -> str:
    payments = list(Payment.objects.filter(order=order).values_list("amount", flat=True))
    status = Order.objects.get(pk=order.pk).status
    told = order.events.filter(kind="paid").count()
    facts = (payments, status, told, order.refunds.count())
    return "" if facts == ([order.total], "paid", 1, 0) else f"{order}: {facts}"


# ── A payment against the shopper's cancellation ────────────────────────────────────────────────
def cancelled_while_paid(shop: Shop, number: int) -> Race:
    paid = paid_at_bank(shop, add_product(f"BOTH-{number}", stock=STOCK).sku)
    cancel = partial(paid.shopper.post, f"/orders/{paid.order.pk}/cancel/")
    webhook = partial(report, shop.url, paid.payment_id)
    return Race([cancel, webhook], partial(_money_stays, paid.order))


def _money_stays(order: Order, answers: Sequence[Answer]) -> str:
    """The order is cancelled whoever was first, and what was paid is owed back."""
    paid, owed = (
        rows.filter(order=order).aggregate(sum=Sum("amount", default=0))["sum"]
        for rows in (Payment.objects, Refund.objects.exclude(status=Refund.Status.NOT_OWED))
    )
    status = Order.objects.get(pk=order.pk).status
    left = Stock.objects.get(product__order_lines__order=order).available
    if (status, left) == ("cancelled", STOCK) and paid == owed == order.total:
        return ""
    return f"{order} is {status}: {paid} paid, {owed} owed back, {left} left"


ATTACKS = (
    Attack(
        "one payment reported three times",
        reported_at_once,
        constraints=(
            (Payment, "payment_once_per_reference"),
            (Payment, "payment_once_per_provider"),
        ),
    ),
    Attack("a payment against a cancellation", cancelled_while_paid),
)
