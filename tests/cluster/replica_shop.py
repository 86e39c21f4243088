"""A web process on a primary and its standby, and an operator at its desk."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg

from project.local.embedded.postgres import DATABASE
from project.local.env import ROOT
from tests.cluster.pair import Pair
from tests.concurrency.web import Web, web
from tests.live import wait_until

ORDERS = "/admin/orders/order/"
OPERATOR, PASSWORD = "ada", "a password of the test's"
_ADD = """
INSERT INTO orders_order (id, door, fingerprint, status, name, email, phone, language, address,
    currency, items_total, total)
VALUES (%s, 'shop', '', 'paid', %s, 'ada@example.org', '', 'en', '{}', 'EUR', 5, 5)
"""


def primary_url(pair: Pair) -> str:
    """Return the address of the primary alone."""
    return f"{pair.url.partition('@')[0]}@127.0.0.1:{pair.first.port}/{DATABASE}"


def standby_url(pair: Pair) -> str:
    """Return the address of the standby alone."""
    return f"{pair.url.partition('@')[0]}@127.0.0.1:{pair.second.port}/{DATABASE}"


def variables(pair: Pair, **more: str) -> dict[str, str]:
    return {"DATABASE_URL": pair.url, "REPLICA_DATABASE_URL": standby_url(pair), **more}


def manage(pair: Pair, *arguments: str, **more: str) -> str:
    """Run a command of the shop on the pair; return what it prints."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=os.environ | variables(pair) | more,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_shop(pair: Pair) -> None:
    """Migrate the primary, and let an operator in."""
    manage(pair, "migrate", "--verbosity", "0", REPLICA_DATABASE_URL="")
    manage(
        pair,
        *("createsuperuser", "--noinput", "--username", OPERATOR, "--email", "ada@example.org"),
        REPLICA_DATABASE_URL="",
        DJANGO_SUPERUSER_PASSWORD=PASSWORD,
    )


def add_order(pair: Pair, name: str) -> str:
    """Let somebody else write an order, past the web process; return its id."""
    key = str(uuid4())
    with psycopg.connect(pair.url, autocommit=True) as session:
        session.execute(_ADD, [key, name])
    return key


def pause(pair: Pair) -> None:
    """Let the standby replay nothing more."""
    pair.second.one("SELECT pg_wal_replay_pause()::text")
    wait_until(
        lambda: pair.second.one("SELECT pg_get_wal_replay_pause_state()") == "paused",
        seconds=10,
        what="the replay is paused",
    )


def resume(pair: Pair) -> None:
    """Let the standby replay, and wait until it has all."""
    pair.second.one("SELECT pg_wal_replay_resume()::text")
    written = pair.first.one("SELECT pg_current_wal_flush_lsn()::text")
    wait_until(
        lambda: pair.second.one(f"SELECT pg_last_wal_replay_lsn() >= '{written}'::pg_lsn"),
        seconds=20,
        what="it has replayed all",
    )


class Desk:
    """The operator's browser, and what is said of the replica."""

    def __init__(self, shop: Web, log: Path) -> None:
        self.shop, self._log = shop, log
        self.browser = httpx.Client(base_url=shop.url, trust_env=False, timeout=20)
        page = self.browser.get("/admin/login/")
        self.browser.post(
            "/admin/login/", data=self._form(page, username=OPERATOR, password=PASSWORD)
        )
        assert self.browser.get("/admin/").status_code == 200

    def _form(self, page: httpx.Response, **fields: Any) -> dict[str, Any]:
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert found, page.text[:500]
        return {"csrfmiddlewaretoken": found[1], **fields}

    def orders(self, **query: str) -> str:
        """Return the page of the orders."""
        page = self.browser.get(ORDERS, params=query)
        assert page.status_code == 200, page.text[:500]
        return page.text

    def export(self) -> str:
        page = self.browser.get(f"{ORDERS}export.csv")
        assert page.status_code == 200
        return page.text

    def pack(self, order_id: str) -> None:
        """Mark an order as packed, by the list's action."""
        page = self.browser.get(ORDERS)
        form = self._form(page, action="mark_packed", _selected_action=order_id, index="0")
        answer = self.browser.post(ORDERS, data=form)
        assert answer.status_code == 302, answer.text[:500]

    def reads(self, server: str, why: str = "") -> float:
        """Return how many reads this server has answered for this reason."""
        figures = self.browser.get("/metrics").text
        pattern = rf'tandem_replica_reads_total{{server="{server}",why="{why}"}} (\S+)'
        found = re.search(pattern, figures)
        return float(found[1]) if found else 0.0

    def said(self) -> str:
        """Return the process's log."""
        return self._log.read_text(errors="replace")

    def wait_for(self, server: str, why: str = "") -> None:
        """Read the list until this server answers for this reason."""

        def answered() -> bool:
            before = self.reads(server, why)
            self.orders()
            wait_until(lambda: self._told(before, server, why), seconds=3, what="it is told")
            return self.reads(server, why) > before

        def tried() -> bool:
            try:
                return answered()
            except AssertionError:
                return False

        wait_until(tried, seconds=30, what=f"answered by {server} ({why or 'replica'})")

    def _told(self, before: float, server: str, why: str) -> bool:
        return self.reads(server, why) > before


@contextmanager
def desk(pair: Pair, folder: Path, **more: str) -> Iterator[Desk]:
    """Run a web process on the pair, with an operator signed in."""
    log = folder / "web.log"
    # One process: each has a watch of its own, and a test must know which one it asks.
    with web(folder, log=log, GUNICORN_CMD_ARGS="--workers 1", **variables(pair, **more)) as shop:
        found = Desk(shop, log)
        try:
            yield found
        finally:
            found.browser.close()
