"""Places one order with its sales held up, for a test that kills this process meanwhile.

Run as `python -m tests.orders.placing.crashing_shop SKU KEY`; prints "stock committed" when
the order is there and its sales are not.
"""

import os
import sys
import threading
from typing import Any

import django


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
    django.setup()
    from orders.placing import placement, writers
    from tests.factories import order_request

    sku, key = sys.argv[1:]
    threads = writers.writers()
    commit_stock = threads.stock.answer

    def hold_up(connection: Any, requests: Any) -> Any:
        threading.Event().wait()

    def tell(*args: Any) -> None:
        print("stock committed", flush=True)
        commit_stock(*args)

    threads.sales.apply = hold_up
    threads.stock.answer = tell  # type: ignore[assignment]
    placement.DEADLINE = 60.0  # the machine may be busy
    placement.place_order(order_request((sku, 2), key=key))


if __name__ == "__main__":
    main()
