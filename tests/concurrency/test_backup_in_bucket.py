"""A whole shop is backed up into an S3 server of its own process, and goes on from there."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from project.local.data_folder import free_port
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
from tests.media_jobs.buckets import amazons_variables, client

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(420)]

DONE, WAITING = 8, 3
BACKUPS = "s3://backups/shop"


@contextmanager
def object_server_process(log: Path) -> Iterator[str]:
    """Run an S3 server in a process; yield its host and port."""
    port = free_port()
    with open(log, "ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(lambda: _lets_in(port), seconds=60, what="the S3 server answers")
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _lets_in(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def test_a_shop_goes_on_from_a_backup_in_a_bucket(
    filled_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = tmp_path.resolve() / "second"
    for folder in (tmp_path, *list(tmp_path.parents)[:2]):
        folder.chmod(0o711)
    with object_server_process(tmp_path / "s3.log") as server:
        for name, value in amazons_variables(server).items():
            monkeypatch.setenv(name, value)
        client(server).create_bucket(Bucket="backups")
        with LiveShop(copy_of=filled_data, environment={"BACKUP_FOLDER": BACKUPS}) as shop:
            books = Books(shop)
            sku = books.add_product(stock=1_000_000)
            place(shop, sku, "done@example.org", DONE)
            done = "done", "done@example.org"
            wait_until(lambda: len(books.all(MESSAGES, *done)) == DONE, seconds=60, what="sent")
            books.connection.execute(
                "INSERT INTO project_pausedqueue (queue, paused_by) VALUES ('notify', 'test')"
            )
            place(shop, sku, "waiting@example.org", WAITING)
            waiting = {each for (each,) in books.all(MESSAGES, "queued", "waiting@example.org")}
            books.connection.execute(RUN_NOW)
            ended = "SELECT status, error FROM project_manualrun WHERE status <> 'queued'"
            wait_until(
                lambda: [row for row in books.all(ended) if row[0] == "done"],
                seconds=90,
                what="the schedule's worker made one",
            )
            with shoppers(shop, sku) as statuses:
                said = shop.manage("backup")
            print(said, f"{len(statuses)} orders were placed around it")
            assert set(statuses) == {201}
            assert said.count(f"{BACKUPS}/20") == 1
            sold = {row[0]: row for row in books.all(ORDERS)}
            already = {
                each
                for (each,) in books.all(
                    "SELECT id::text FROM notifications_notification WHERE status = 'done'"
                )
            }
            books.close()
            key = shop.env["SECRET_KEY"]

        said = restored(BACKUPS, second, secret_key=key)

    assert "Restored, and clean" in said
    with LiveShop(data=second, environment={"SECRET_KEY": key}) as shop:
        books = Books(shop)
        found = books.all(ORDERS)
        assert found
        assert [row for row in found if sold[row[0]] != row] == []
        assert "clean" in shop.manage("audit")
        products = httpx.get(f"{shop.url}/api/v1/products", trust_env=False).json()
        pictures = [image["url"] for each in products["items"] for image in each["images"]]
        assert pictures
        for url in pictures:
            answer = httpx.get(httpx.URL(shop.url).join(url), trust_env=False)
            assert (answer.status_code, answer.headers["Content-Type"][:6]) == (200, "image/")

        books.connection.execute("DELETE FROM project_pausedqueue")
        wait_until(
            lambda: waiting <= {*arrived(second)}, seconds=90, what="what waited has arrived"
        )
        assert [each for each in arrived(second) if each in already] == []

        # The control: a message that is queued again arrives again, and is seen.
        [(again,)] = books.all(MESSAGES + " LIMIT 1", *done)
        books.connection.execute(
            "UPDATE notifications_notification SET status = 'queued', finished_at = NULL,"
            " ring_after = now(), run_after = now() WHERE id = %s",
            [again],
        )
        wait_until(lambda: again in arrived(second), seconds=30, what="the second copy")
        assert [each for each in arrived(second) if each in already] == [again]
        books.close()
