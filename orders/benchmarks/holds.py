"""`bench holds`: holds/s beside orders/s on one hot product, and races that may not oversell it.

The rates are measured in turns, by the threads of one process. Then as many threads hold, order,
give back and let expire on a product with few units, the relay's sweep among them. What is sold is
delivered again, so that the last units stay fought for. At the end what was ordered is compared
with what there was.
"""

import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db import connection
from django.db.models import F, Sum
from django.db.models.functions import Now

from orders.benchmarks.placement.load import in_turns, load
from orders.benchmarks.placement.shop import HOT_ONE, Basket, create_products
from orders.benchmarks.placement.variants import TANDEM, VARIANTS, Variant, order_limits
from orders.catalogue.stock import correct_stock
from orders.holds.expiry import give_back_expired
from orders.holds.holding import give_back, hold
from orders.lifecycle.errors import TransitionError
from orders.lifecycle.transitions import cancel
from orders.models import Hold, Order, OrderLine, Stock, StockMovement
from orders.placing.errors import OutOfStock, ShopBusy
from orders.placing.placement import place_order
from orders.placing.request import OrderRequest, RequestedLine
from orders.placing.writers import drain
from project.benchmarks import Report, judged, scratch_database
from project.monitoring.audit import run_audit

RACES = 100_000
CLIENTS = 32
ROUNDS, SECONDS = 5, 2.5
UNITS = 40
"""The units for which the races compete: so few that most steps meet another one."""
TARGETS: dict[str, dict[str, float]] = {
    "holds/s to orders/s": {"at_least": 0.9},
    "oversold in the races": {"at_most": 0.0},
    "findings of the audit": {"at_most": 0.0},
}

_HOLD = Variant(
    place=lambda request: hold(request.lines),
    around=lambda: order_limits(None),
)


def bench_holds(sizes: Sequence[int] = (RACES,)) -> Report:
    """Measure holds against orders, then take so many steps of the races, the last size counts."""
    with scratch_database(pool_size=2 * CLIENTS):
        create_products()
        try:
            rates = in_turns(
                {
                    name: partial(load, variant, HOT_ONE, clients=CLIENTS, seconds=SECONDS)
                    for name, variant in {"orders": VARIANTS[TANDEM], "holds": _HOLD}.items()
                },
                rounds=ROUNDS,
            )
            raced = _race(sizes[-1])
        finally:
            drain()
    rows = [{"what": name, "clients": CLIENTS, **figures} for name, figures in rates.items()]
    ratios = {
        "holds/s to orders/s": rates["holds"]["per_second"] / rates["orders"]["per_second"],
        "oversold in the races": raced["oversold"],
        "findings of the audit": raced["findings"],
    }
    return judged([*rows, raced], ratios, TARGETS)


def _race(steps: int) -> dict[str, Any]:
    """Take so many steps on one product; return what came of them."""
    sku = "bench-999"
    Stock.objects.filter(product__sku=sku).update(initial=UNITS, available=UNITS)
    done: Counter[str] = Counter()
    left = iter(range(steps))
    lock, over = threading.Lock(), threading.Event()

    def client(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311  (which step comes next)
        mine: list[Any] = []
        while True:
            with lock:
                if next(left, None) is None:
                    return
            try:
                done[_step(chance, sku, mine)] += 1
            except (OutOfStock, ShopBusy, TransitionError) as refusal:
                done[type(refusal).__name__] += 1
            finally:
                connection.close()

    def relay() -> None:
        while not over.wait(0.2):
            give_back_expired()
            connection.close()

    began = time.monotonic()
    with order_limits(None):
        sweeping = threading.Thread(target=relay)
        clients = [threading.Thread(target=client, args=(seed,)) for seed in range(CLIENTS)]
        for thread in (sweeping, *clients):
            thread.start()
        for thread in clients:
            thread.join()
        over.set()
        sweeping.join()
    seconds = time.monotonic() - began
    return {
        "what": "races",
        "clients": CLIENTS,
        "per_second": round(steps / seconds, 1),
        **done,
        "oversold": _oversold(sku),
        "findings": sum(finding["violations"] for finding in run_audit().findings),
    }


def _step(chance: random.Random, sku: str, mine: list[Any]) -> str:
    """Hold, or do something with a hold or an order of this client; return what was done."""
    wanted = chance.choice(("hold", "hold", "pay", "give back", "expire"))
    if wanted == "hold" or not mine:
        held = hold([RequestedLine(sku, chance.randint(1, 3))])
        mine.append(held.id)
        return "held"
    chosen = mine.pop(chance.randrange(len(mine)))
    if wanted == "pay":
        order = place_order(_order(sku, hold_id=chosen)).order
        if chance.random() < 0.9:
            cancel(order_id=order.pk, by_shopper=True)
            return "ordered and cancelled"
        _deliver(order)
        return "ordered"
    if wanted == "expire":
        Hold.objects.filter(pk=chosen).update(expires_at=Now())
        return "expired"
    give_back(chosen)
    return "given back"


def _deliver(order: Order) -> None:
    """Enter a delivery of what the order sold."""
    for line in order.lines.all():
        correct_stock(
            product_id=line.product_id,
            delta=line.quantity,
            reason="Delivery",
            user_id=None,
            kind=StockMovement.Kind.RECEIPT,
        )


def _order(sku: str, *, hold_id: Any) -> OrderRequest:
    request = Basket("hot").request()
    return OrderRequest(
        source=request.source,
        key=secrets.token_urlsafe(24),
        name=request.name,
        email=request.email,
        lines=(RequestedLine(sku, 1),),
        hold=hold_id,
    )


def _oversold(sku: str) -> int:
    """Return the units that were ordered, are held or available beyond those that there were."""
    stock = Stock.objects.get(product__sku=sku)
    sold = OrderLine.objects.filter(sku=sku).exclude(order__status="cancelled")
    ordered = sold.aggregate(units=Sum(F("quantity"), default=0))["units"]
    held = stock.product.hold_lines.aggregate(units=Sum("quantity", default=0))["units"]
    receipts = stock.product.movements.filter(kind=StockMovement.Kind.RECEIPT)
    delivered = receipts.aggregate(units=Sum("quantity", default=0))["units"]
    return max(0, ordered + held + stock.available - UNITS - delivered)
