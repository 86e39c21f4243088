"""A process whose clients order one product as fast as they can; a test starts several of them.

Run as `python -m tests.orders.placing.hot_process SKU CLIENTS`, with TANDEM_WEB_PROCESS=1 for a
web process's connections. It prints "ready", and for each line `SECONDS` that it reads a line of
JSON: `placed` has the seconds at which orders were placed, `refused` by reason those at which
others ended, and `slowest` the longest wait.

A third argument `impatient` is for controls: products that could not be locked are only ever
tried without waiting, and few may wait like that.
"""

import json
import os
import sys
import threading
import time
from collections import defaultdict
from typing import Any

import django


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
    django.setup()
    from orders.placing.placement import place_order
    from tests.factories import order_request

    sku, clients = sys.argv[1], int(sys.argv[2])
    if sys.argv[3:] == ["impatient"]:
        lose_patience()
    place_order(order_request((sku, 1)))
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(_rush(sku, clients, seconds=float(line))), flush=True)


def lose_patience() -> None:
    """Take the queueing out: what a writer did before it had a lane for it."""
    from orders.placing.row_locks import RowLocks
    from orders.placing.suspects import Suspects

    RowLocks.queue_for_one = lambda *args: time.sleep(0.02)
    Suspects.are_stuck = lambda *args: True


def _rush(sku: str, clients: int, *, seconds: float) -> dict[str, Any]:
    """Have each client place one order after the other; one that is refused rests a moment."""
    from django.db import connection

    from orders.placing.errors import PlacementError
    from orders.placing.placement import place_order
    from tests.factories import order_request

    placed: list[float] = []
    refused: defaultdict[str, list[float]] = defaultdict(list)
    waits = [0.0]
    start = time.monotonic()

    def shop() -> None:
        while (began := time.monotonic()) < start + seconds:
            try:
                place_order(order_request((sku, 1)))
            except PlacementError as error:
                refused[type(error).__name__].append(round(time.monotonic() - start, 2))
                time.sleep(0.1)
            else:
                placed.append(round(time.monotonic() - start, 2))
            finally:
                connection.close()  # as at the end of a web request
            waits.append(time.monotonic() - began)

    threads = [threading.Thread(target=shop) for _client in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"placed": placed, "refused": refused, "slowest": round(max(waits), 2)}


if __name__ == "__main__":
    main()
