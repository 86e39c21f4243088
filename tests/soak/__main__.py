"""`bin/soak MINUTES [--seed N] [--into FOLDER]`: see docs/soak.md."""

import argparse
import logging
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg

from tests.live import LiveShop
from tests.soak.faults import FaultThread
from tests.soak.record import MailboxWatch, Record, now

CALM = 10.0
"""Seconds without a fault at the beginning and before the load ends."""
LAST_JOBS = 300.0
"""Seconds in which all jobs must have ended after the load: a retry may wait for minutes."""
AUDIT_AGE = 65.0
"""The audit judges the sales of what is older than 60 s."""


def main() -> int:
    wanted = _arguments()
    record = Record()
    with LiveShop() as shop:
        print(f"soak: {shop.url}, seed {wanted.seed}", flush=True)
        os.environ |= shop.env
        import django

        django.setup()
        logging.getLogger("httpx").setLevel(logging.WARNING)
        from tests.soak.load import Load
        from tests.soak.report import write
        from tests.soak.verdict import judge, read_books

        watch, backlog = MailboxWatch(shop.data / "mailbox"), Backlog(shop, record)
        load = Load(shop, record, seed=wanted.seed)
        faults = FaultThread(shop, record, seed=wanted.seed)
        watch.start()
        backlog.start()
        _wait_for_jobs(backlog)  # the demo's pictures
        load.start()
        faults.start()
        try:
            time.sleep(60 * wanted.minutes)
        finally:
            faults.stop()
            time.sleep(CALM)
            load.stop()
            print("soak: the load has ended, the last jobs are waited for", flush=True)
            _wait_for_jobs(backlog)
            backlog.stop()
            watch.stop()
        time.sleep(AUDIT_AGE)
        audit = subprocess.run(
            [sys.executable, "manage.py", "audit"],
            env=shop.env,
            capture_output=True,
            text=True,
            check=False,
        )
        books = read_books(audit=audit.stdout, audit_is_clean=audit.returncode == 0)
        verdict = judge(record, books, watch.copies)
        page = write(
            wanted.into,
            minutes=wanted.minutes,
            seed=wanted.seed,
            record=record,
            books=books,
            verdict=verdict,
        )
        if verdict.broken:
            (wanted.into / "shop.log").write_text(shop.output())
    for name, value in verdict.figures.items():
        print(f"{name:45} {value}")
    for sentence in verdict.broken:
        print(f"NOT KEPT: {sentence}")
    print(f"The report: {page}")
    return 1 if verdict.broken else 0


class Backlog:
    """Samples how many jobs are open, twice a second, past the application."""

    def __init__(self, shop: LiveShop, record: Record) -> None:
        self.open = -1
        self._url = shop.env["DATABASE_URL"]
        self._record = record
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="backlog")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.wait(0.5):
            try:
                self.open = self._count()
            except psycopg.Error:
                self.open = -1  # the database is what is broken just now
            else:
                self._record.backlog.append((now(), self.open))

    def _count(self) -> int:
        tables = ("notifications_notification", "media_jobs_mediajob")
        opened = " UNION ALL ".join(
            f"SELECT 1 FROM {table} WHERE status IN ('queued', 'running')" for table in tables
        )
        with psycopg.connect(self._url, connect_timeout=2) as connection:
            row = connection.execute(f"SELECT count(*) FROM ({opened}) AS job").fetchone()
            assert row is not None
            return int(row[0])


def _wait_for_jobs(backlog: Backlog) -> None:
    deadline = time.monotonic() + LAST_JOBS
    while backlog.open != 0 and time.monotonic() < deadline:
        time.sleep(1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/soak",
        description="Run a whole shop under mixed load, with a random fault every 20 seconds;"
        " then compare its answers with its books, and write a one-page report.",
    )
    parser.add_argument("minutes", type=float, help="how long the load lasts, 0.5 or more")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    parser.add_argument("--into", type=Path, default=Path("soak"), help="folder for the report")
    wanted = parser.parse_args()
    if not wanted.minutes >= 0.5:
        parser.error("minutes: give a number of at least 0.5")
    return wanted


if __name__ == "__main__":
    sys.exit(main())
