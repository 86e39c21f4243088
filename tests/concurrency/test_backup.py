"""A whole shop is backed up while orders are placed, and goes on in an empty data folder.

Each comparison ends with its control: what a restore could get wrong is done to the restored shop,
and the comparison has to see it.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from project.local.env import ROOT
from tests.concurrency.restored import (
    MESSAGES,
    ORDERS,
    RUN_NOW,
    arrived,
    place,
    restored,
    shoppers,
)
from tests.concurrency.rush import Books
from tests.live import LiveShop, wait_until

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(420)]

BEFORE, WAITING = 20, 6
INTERRUPT = """
    UPDATE notifications_notification SET status = 'running', token = gen_random_uuid(),
        gateway = %s, lease_until = now() + interval '1 hour'
    WHERE id = %s
"""


def kill_in_the_middle(shop: LiveShop, backups: Path) -> None:
    """Kill a backup that has begun, and see that it is taken for none."""
    command = [sys.executable, str(ROOT / "manage.py"), "backup", str(backups)]
    killed = subprocess.Popen(command, env=shop.env, stderr=subprocess.DEVNULL)
    wait_until(lambda: [*backups.glob("*.unfinished")], seconds=30, what="a backup has begun")
    killed.kill()
    assert killed.wait() == -signal.SIGKILL
    [interrupted] = backups.glob("20*")
    assert interrupted.suffix == ".unfinished"
    assert not (interrupted / "manifest.json").exists()
    assert "has no finished backup" in shop.manage("restore", str(backups), check=False)


def test_a_shop_goes_on_from_a_backup_that_was_made_while_it_sold(
    filled_data: Path, tmp_path: Path
) -> None:
    backups = tmp_path / "backups"
    second = Path(os.path.realpath(tmp_path)) / "second"
    for folder in (tmp_path, *list(tmp_path.parents)[:2]):
        folder.chmod(0o711)
    with LiveShop(copy_of=filled_data) as shop:
        books = Books(shop)
        sku = books.add_product(stock=1_000_000)
        early = place(shop, sku, "done@example.org", BEFORE)
        done = "done", "done@example.org"
        wait_until(lambda: len(books.all(MESSAGES, *done)) == BEFORE, seconds=60, what="sent")
        books.connection.execute(
            "INSERT INTO project_pausedqueue (queue, paused_by) VALUES ('notify', 'test')"
        )
        early += place(shop, sku, "waiting@example.org", WAITING)
        waiting = [each for (each,) in books.all(MESSAGES, "queued", "waiting@example.org")]
        assert len(waiting) == WAITING
        sending, claimed = waiting[:2]
        books.connection.execute(INTERRUPT, ["email", sending])
        books.connection.execute(INTERRUPT, ["", claimed])
        kill_in_the_middle(shop, backups)
        with shoppers(shop, sku) as statuses:
            before = len(statuses)
            said = shop.manage("backup", str(backups))
            during = len(statuses) - before
        print(said, f"{during} orders were placed meanwhile")
        assert not [*backups.glob("*.unfinished")]
        assert set(statuses) == {201}
        assert during > 0
        print(shop.manage("backup", str(backups)))  # the quiet second one
        books.connection.execute(RUN_NOW)
        ended = "SELECT result->>%s FROM project_manualrun WHERE status = 'done'"
        today = books.one("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD')")
        wait_until(lambda: books.all(ended, today), seconds=60, what="a worker made a backup")
        assert len([*(shop.data / "backups").glob("20*/manifest.json")]) == 1
        newest = sorted(backups.glob("20*"))[-1]
        newest.rename(tmp_path / newest.name)  # restored is the one that was made under load
        sold = {row[0]: row for row in books.all(ORDERS)}
        all_done = {
            each
            for (each,) in books.all(
                "SELECT id::text FROM notifications_notification WHERE status = 'done'"
            )
        }
        books.close()
        key = shop.env["SECRET_KEY"]

    said = restored(backups, second, secret_key=key)

    assert "Restored, and clean" in said
    with LiveShop(data=second, environment={"SECRET_KEY": key}) as shop:
        books = Books(shop)
        found = books.all(ORDERS)
        numbers = [row[1] for row in found]
        assert set(early) <= set(numbers)
        assert [row for row in found if sold[row[0]] != row] == []
        assert "clean" in shop.manage("audit")

        products = httpx.get(f"{shop.url}/api/v1/products", trust_env=False).json()
        pictures = [image["url"] for each in products["items"] for image in each["images"]]
        assert pictures
        for url in pictures:
            answer = httpx.get(httpx.URL(shop.url).join(url), trust_env=False)
            assert (answer.status_code, answer.headers["Content-Type"][:6]) == (200, "image/")

        [number] = place(shop, sku, "new@example.org", 1)
        assert number > max(numbers)

        books.connection.execute("DELETE FROM project_pausedqueue")
        wait_until(
            lambda: (
                not books.all(MESSAGES, "queued", "waiting@example.org")
                and not books.all(MESSAGES, "queued", "new@example.org")
            ),
            seconds=90,
            what="what waited is sent",
        )
        wait_until(
            lambda: books.all(MESSAGES, "done", "new@example.org"), seconds=30, what="the new one"
        )
        assert books.all(MESSAGES, "unknown", "waiting@example.org") == [(sending,)]
        mails = arrived(second)
        assert {each for each in mails if each in waiting} == {*waiting} - {sending}
        assert [each for each in mails if each in all_done] == []
        assert len(mails) == len({*mails})

        # Controls. A message that was done and is queued again arrives again, and is seen; so is
        # an order that differs.
        [(again,)] = books.all(MESSAGES + " LIMIT 1", *done)
        books.connection.execute(
            "UPDATE notifications_notification SET status = 'queued', finished_at = NULL,"
            " ring_after = now(), run_after = now() WHERE id = %s",
            [again],
        )
        wait_until(lambda: again in arrived(second), seconds=30, what="the second copy")
        assert [each for each in arrived(second) if each in all_done] == [again]
        books.connection.execute(
            "UPDATE orders_orderline SET quantity = quantity + 1, total = total + unit_price"
            " WHERE order_id = %s",
            [found[0][0]],
        )
        assert [row for row in books.all(ORDERS) if row[0] in sold and sold[row[0]] != row] != []
        assert "drift" in shop.manage("audit", check=False)
        books.close()
