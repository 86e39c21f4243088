"""Pickup passes as they are drawn, and as they were at first: CPU and bytes of one order's."""

import time
from collections.abc import Callable
from typing import Any

from media_jobs.benchmarks.layers import layered_pass
from media_jobs.pickup_pass import draw

ROUNDS = 3
PASSES = 20
"""A round's, each of another order."""
LAYERS = "layers, PNG and WebP"


def measured_passes() -> dict[str, dict[str, float]]:
    """Return for both ways the CPU and the seconds of a pass, and its kilobytes.

    They take turns; of each the least disturbed round counts. Each process draws its ground once,
    so that isn't in the figures: a worker's process draws two hundred passes.
    """
    ways: dict[str, Callable[[dict[str, Any]], list[bytes]]] = {
        "tandem": lambda context: [draw(context)],
        LAYERS: layered_pass,
    }
    best: dict[str, dict[str, float]] = {}
    for make in ways.values():
        make(_order(0))
    for round_number in range(ROUNDS):
        contexts = [_order(round_number * PASSES + number) for number in range(1, PASSES + 1)]
        for name, make in ways.items():
            began, cpu_began = time.perf_counter(), time.process_time()
            sizes = [sum(map(len, make(context))) for context in contexts]
            found = {
                "seconds": (time.perf_counter() - began) / PASSES,
                "cpu": (time.process_time() - cpu_began) / PASSES,
                "kilobytes": sum(sizes) / PASSES / 1000,
            }
            best[name] = min(best.get(name, found), found, key=lambda one: one["cpu"])
    return best


def _order(number: int) -> dict[str, Any]:
    """Return the context of an order's pass: one to three products, every other one in Chinese."""
    lines: list[dict[str, Any]] = [
        {
            "sku": f"KIT-{number}-{line}",
            "name": f"Cast-iron casserole No. {number + line}",
            "quantity": line,
            "unit_price": "12.30",
            "total": f"{12.3 * line:.2f}",
        }
        for line in range(1, 2 + number % 3)
    ]
    return {
        "number": f"T{100_000 + number}",
        "name": f"Ada Lovelace {number}" if number % 2 else f"欧阳娜娜 {number}",
        "shop_name": "Tandem",
        "currency": "EUR",
        "items_total": "12.30",
        "delivery_total": "0.00",
        "total": f"{sum(float(line['total']) for line in lines):.2f}",
        "status_url": f"https://shop.example.org/orders/0d4f6c1e-7a53-4b8e-9a51-{number:012d}/",
        "language": "en" if number % 2 else "zh-hans",
        "lines": lines,
    }
