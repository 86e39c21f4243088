"""What `bench vouchers` sees of waits for locks."""

import threading
import time

import psycopg
import pytest

from orders.benchmarks.vouchers import watching
from tests.database import this_database
from tests.factories import add_voucher

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_wait_for_a_vouchers_row_is_seen() -> None:
    add_voucher()
    lock = "SELECT 1 FROM orders_voucher FOR UPDATE"
    with psycopg.connect(this_database()) as holder, psycopg.connect(this_database()) as waiter:
        holder.execute(lock)
        waiting = threading.Thread(target=lambda: waiter.execute(lock))
        with watching() as longest:
            waiting.start()
            deadline = time.monotonic() + 20
            while longest[0] < 0.2 and time.monotonic() < deadline:
                time.sleep(0.02)
            holder.rollback()
            waiting.join()
        waiter.rollback()

    assert longest[0] >= 0.2
