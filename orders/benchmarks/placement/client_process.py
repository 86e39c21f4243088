"""One process of clients, with connections and writers as a web process has them.

`processes` starts it. It prints "ready", then for each line `{"clients", "seconds"}` that it reads
the load that it placed.
"""

import json
import sys

from orders.benchmarks.placement.load import load
from orders.benchmarks.placement.shop import SPREAD_ONE, Basket
from orders.benchmarks.placement.variants import VARIANTS
from orders.placing.writers import drain

WARM_UP_CLIENTS = 8
WARM_UP_SECONDS = 1.0


def main(variant: str, products: str, lines: int) -> None:
    """Place loads of these orders until the input ends."""
    way, basket = VARIANTS[variant], Basket(products, lines)
    load(way, SPREAD_ONE, clients=WARM_UP_CLIENTS, seconds=WARM_UP_SECONDS)
    print("ready", flush=True)
    for line in sys.stdin:
        placed = load(way, basket, **json.loads(line))
        latencies = [round(latency, 6) for latency in placed.latencies]
        print(json.dumps([placed.seconds, latencies, placed.failed]), flush=True)
    drain()
