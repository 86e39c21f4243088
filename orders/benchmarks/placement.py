"""`bench placement`: group commit against a textbook transaction, in one run."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection

from orders.benchmarks.textbook import place_textbook_order
from orders.models import Category, Order, Product, ProductSales, Stock
from orders.placing.placement import place_order
from orders.placing.request import OrderRequest, RequestedLine
from orders.placing.writers import drain
from project.benchmarks import Report, scratch_database
from project.limits.rates import ORDER_LIMITS, Rate

PRODUCTS = 1000
CLIENTS = (1, 32)
ROUNDS = 3
"""The variants alternate, so that other load on the machine hits both. The median round counts."""
SECONDS = 4.0
"""Per round."""

UNREACHED = dict.fromkeys(ORDER_LIMITS, Rate(100_000_000, 86_400))
"""Order limits that count each order and refuse none."""
SHOPPERS = 10_000

TARGET_THROUGHPUT = 5.0
TARGET_P99 = 0.2
TARGET_SINGLE_LATENCY = 2.0


def bench_placement() -> Report:
    """Measure the variants on one product and on many, with 1 and with 32 clients.

    `tandem` is placed without order limits, as `textbook` is, and `counted` with them.
    """
    variants: dict[str, Callable[[OrderRequest], object]] = {
        "textbook": place_textbook_order,
        "tandem": place_order,
        "counted": place_order,
    }
    limits = {"counted": UNREACHED}
    rows = []
    with scratch_database(pool_size=max(CLIENTS)):
        _create_products()
        try:
            for name, place in variants.items():  # warm up connections, plans and caches
                with order_limits(limits.get(name)):
                    _load(place, clients=8, skus=_skus("spread"), seconds=1.0)
            for clients in CLIENTS:
                for spread in ("spread", "hot"):
                    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in variants}
                    for _round in range(ROUNDS):
                        for name, place in variants.items():
                            skus = _skus(spread)
                            with order_limits(limits.get(name)):
                                measured = _load(place, clients=clients, skus=skus, seconds=SECONDS)
                            rounds[name].append(measured)
                    for name, results in rounds.items():
                        results.sort(key=lambda row: row["per_second"])
                        middle = results[len(results) // 2]
                        rows.append(
                            {"variant": name, "clients": clients, "spread": spread, **middle}
                        )
        finally:
            drain()
    return _judge(rows)


@contextmanager
def order_limits(limits: dict[str, Rate] | None) -> Iterator[None]:
    """Count orders by these limits; None: not at all."""
    before = settings.ORDER_LIMITS
    settings.ORDER_LIMITS = limits
    try:
        yield
    finally:
        settings.ORDER_LIMITS = before


def _create_products() -> None:
    category = Category.objects.create(name="Bench", slug="bench")
    products = Product.objects.bulk_create(
        Product(
            sku=f"bench-{number}",
            slug=f"bench-{number}",
            name=f"Bench {number}",
            category=category,
            price=Decimal("9.90"),
        )
        for number in range(PRODUCTS)
    )
    Stock.objects.bulk_create(
        Stock(product=product, initial=10**8, available=10**8) for product in products
    )
    ProductSales.objects.bulk_create(ProductSales(product=product) for product in products)


def _skus(spread: str) -> Callable[[], str]:
    if spread == "hot":
        return lambda: "bench-0"
    return lambda: f"bench-{secrets.randbelow(PRODUCTS)}"


def _load(
    place: Callable[[OrderRequest], object],
    *,
    clients: int,
    skus: Callable[[], str],
    seconds: float,
) -> dict[str, float]:
    """Let each client place orders one after the other; return rate and latencies."""
    latencies: list[float] = []
    failures: list[BaseException] = []
    end = time.monotonic() + seconds

    def shop() -> None:
        mine = []
        try:
            while time.monotonic() < end:
                request = _request(skus())
                started = time.perf_counter()
                place(request)
                mine.append(time.perf_counter() - started)
                connection.close()  # back to the pool, as at the end of a web request
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()
            latencies.extend(mine)

    started = time.monotonic()
    threads = [threading.Thread(target=shop) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.monotonic() - started
    if failures:
        raise failures[0]
    latencies.sort()
    return {
        "per_second": round(len(latencies) / elapsed, 1),
        "p50_ms": round(1000 * latencies[len(latencies) // 2], 2),
        "p99_ms": round(1000 * latencies[int(len(latencies) * 0.99)], 2),
    }


def _request(sku: str) -> OrderRequest:
    shopper = secrets.randbelow(SHOPPERS)
    return OrderRequest(
        source=Order.Source.API,
        key=secrets.token_urlsafe(24),
        name="Ada Lovelace",
        email=f"ada{shopper}@example.org",
        phone=f"+493012{shopper:04}",
        counted_address=f"2001:db8:0:{shopper:x}::/64",
        session_key=f"session-{shopper}",
        lines=(RequestedLine(sku, 1),),
    )


def _judge(rows: list[dict[str, Any]]) -> Report:
    by_case = {(row["variant"], row["clients"], row["spread"]): row for row in rows}
    tandem = partial(_cell, by_case, "tandem")
    textbook = partial(_cell, by_case, "textbook")
    busiest = max(CLIENTS)
    ratios = {}
    missed = []
    for spread in ("spread", "hot"):
        name = f"throughput_{busiest}_{spread}"
        ratios[name] = round(
            tandem(busiest, spread, "per_second") / textbook(busiest, spread, "per_second"), 2
        )
        if ratios[name] < TARGET_THROUGHPUT:
            missed.append(f"{name} is {ratios[name]}, wanted at least {TARGET_THROUGHPUT:g}")
    name = f"p99_{busiest}_hot"
    ratios[name] = round(tandem(busiest, "hot", "p99_ms") / textbook(busiest, "hot", "p99_ms"), 3)
    if ratios[name] > TARGET_P99:
        missed.append(f"{name} is {ratios[name]}, wanted at most {TARGET_P99:g}")
    for spread in ("spread", "hot"):
        name = f"latency_1_{spread}"
        ratios[name] = round(tandem(1, spread, "p50_ms") / textbook(1, spread, "p50_ms"), 2)
        if ratios[name] > TARGET_SINGLE_LATENCY:
            missed.append(f"{name} is {ratios[name]}, wanted at most {TARGET_SINGLE_LATENCY:g}")
        counted = _cell(by_case, "counted", busiest, spread, "per_second")
        ratios[f"counted_{busiest}_{spread}"] = round(
            counted / tandem(busiest, spread, "per_second"), 2
        )
    return Report(rows=rows, ratios=ratios, missed=missed)


def _cell(
    by_case: dict[tuple[str, int, str], dict[str, Any]],
    variant: str,
    clients: int,
    spread: str,
    column: str,
) -> float:
    return float(by_case[variant, clients, spread][column])
