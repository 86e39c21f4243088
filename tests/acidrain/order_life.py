"""Attacks on orders that are placed: steps of the desk and buttons of the order's page at once."""

from collections.abc import Sequence
from functools import partial

from django.db.models import Sum

from orders.models import Order, OrderEvent, OrderLine, Refund, Stock
from tests.acidrain.attack import Attack, Race, Shop
from tests.acidrain.people import Answer, Browser, clerk_at, step_of
from tests.factories import add_product
from tests.order_states import packed, paid

ADDRESS = {"line1": "Am Kai 1", "city": "Kiel", "postcode": "24103", "country": "DE"}
STOCK, UNITS = 9, 3


def refunded(order: Order) -> str:
    return str(order.refunds.aggregate(sum=Sum("amount", default=0))["sum"])


def available(order: Order) -> int:
    return Stock.objects.get(product__order_lines__order=order).available


# ── Cancel against the next step ────────────────────────────────────────────────────────────────
def cancel_against_step(shop: Shop, number: int) -> Race:
    """A clerk cancels what another ships, or a shopper what a clerk packs."""
    line = (add_product(f"GONE-{number}", stock=STOCK).sku, UNITS)
    clerk = clerk_at(shop.url)
    if number % 2:
        order = paid(line)
        path = f"/admin/orders/order/{order.pk}/step/pack/"
        cancel = partial(Browser(shop.url).post, f"/orders/{order.pk}/cancel/")
        step = partial(clerk.post, path)
    else:
        order = packed(line, address=ADDRESS)
        cancel = step_of(clerk, order.pk, "cancel", reason="broken")
        step = step_of(clerk_at(shop.url), order.pk, "ship", carrier="DHL")
    return Race([cancel, step], partial(_both_won, order, "packed" if number % 2 else "shipped"))


def _both_won(order: Order, step: str, answers: Sequence[Answer]) -> str:
    status = Order.objects.get(pk=order.pk).status
    happened = order.events.filter(kind__in=["cancelled", step]).values_list("kind", flat=True)
    facts = (list(happened), available(order), refunded(order))
    gone = ([step], STOCK - UNITS, "0")
    cancelled = (["cancelled"], STOCK, str(order.total))
    right = {step: gone, "cancelled": cancelled}.get(status)
    return "" if facts == right else f"{order} is {status}: {facts}"


# ── Two refunds ─────────────────────────────────────────────────────────────────────────────────
def refund_twice(shop: Shop, number: int) -> Race:
    """Two clerks refund all of an order, or one clicks twice."""
    order = paid((add_product(f"BACK-{number}", stock=STOCK).sku, UNITS))
    first = step_of(clerk_at(shop.url), order.pk, "refund")
    other = first if number % 2 else step_of(clerk_at(shop.url), order.pk, "refund")
    return Race([first, other], partial(_refunded_twice, order))


def _refunded_twice(order: Order, answers: Sequence[Answer]) -> str:
    units = [line.refunded for line in order.lines.all()]
    facts = (Refund.objects.filter(order=order).count(), refunded(order), units, available(order))
    right = (1, str(order.total), [UNITS], STOCK)
    told = OrderEvent.objects.filter(order=order, kind="refunded").count()
    return "" if (facts, told) == (right, 1) else f"{order}: {facts}, told {told} times"


ATTACKS = (
    Attack("cancel against ship", cancel_against_step),
    Attack(
        "refund twice",
        refund_twice,
        constraints=((OrderLine, "line_is_refunded_at_most_once"),),
    ),
)
