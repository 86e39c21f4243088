"""A shop whose backup is made while it sells, and the one that is made from it."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from notifications.mailbox.store import Mailbox
from project.local.env import ROOT
from tests.concurrency.rush import new_key, order_body, rush
from tests.live import LiveShop, wait_until

MESSAGES = """
    SELECT message.id::text FROM notifications_notification AS message
    JOIN orders_order ON orders_order.id = order_id
    WHERE channel = 'email' AND message.status = %s AND orders_order.email = %s
"""
ORDERS = """
    SELECT orders_order.id, number, orders_order.total, placed_at, line.sku, quantity, line.total
    FROM orders_order JOIN orders_orderline AS line ON line.order_id = orders_order.id
    ORDER BY 1, 5
"""
RUN_NOW = """
    INSERT INTO project_manualrun (id, kind, periodic_task, context)
    SELECT gen_random_uuid(), task, name, '{}' FROM django_celery_beat_periodictask
    WHERE task = 'project.tasks.backup' AND NOT enabled
"""


@contextmanager
def shoppers(shop: LiveShop, sku: str) -> Iterator[list[int]]:
    """Place orders, eight at a time, until the block ends; yield the statuses of the answers."""
    statuses: list[int] = []
    over = threading.Event()

    def shop_on() -> None:
        while not over.is_set():
            orders = [(new_key(), order_body((sku, 1))) for _ in range(8)]
            statuses.extend(answer.status for answer in rush(shop, orders, clients=8))

    thread = threading.Thread(target=shop_on)
    thread.start()
    try:
        wait_until(lambda: len(statuses) >= 16, seconds=30, what="orders are placed")
        yield statuses
    finally:
        over.set()
        thread.join()


def restored(backups: Path | str, data: Path, *, secret_key: str) -> str:
    """Restore the newest backup into an empty data folder; return what the command said."""
    data.mkdir()
    data.chmod(0o711)  # else, as root, the database goes to /var/tmp
    embedded = [sys.executable, "-m", "project.local.embedded", "run", "--data", str(data), "--"]
    command = [sys.executable, str(ROOT / "manage.py"), "restore", str(backups)]
    done = subprocess.run(
        [*embedded, *command],
        cwd=ROOT,
        env={**os.environ, "SECRET_KEY": secret_key},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def arrived(data: Path) -> list[str]:
    """Return the ids of the e-mails in a shop's mailbox."""
    messages = Mailbox(data / "mailbox").messages()
    return [message.message_id.strip("<>").partition("@")[0] for message in messages]


def place(shop: LiveShop, sku: str, email: str, count: int) -> list[int]:
    """Place orders and return their numbers."""
    orders = [(new_key(), order_body((sku, 1), email=email)) for _ in range(count)]
    answers = rush(shop, orders, clients=4)
    assert {answer.status for answer in answers} == {201}
    return [int(str(answer.body["number"]).lstrip("T")) for answer in answers]
