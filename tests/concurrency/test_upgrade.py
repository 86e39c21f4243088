"""A shop with 100,000 orders is upgraded while the release before sells."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from project.local.env import ROOT
from tests.concurrency.previous_release import is_older
from tests.concurrency.rush import new_key, order_body
from tests.concurrency.web import web
from tests.live import wait_until
from tests.time_bounds import stretched

pytestmark = [
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.xdist_group("live"),
    pytest.mark.timeout(2400),
]

ORDERS = 100_000
LONGEST = 2.0
"""Seconds that a request may wait while the migrations run."""
CALM = 5.0
"""Seconds of selling before and after them."""
CLIENTS = 4
PAGES = ("/", "/products/tea/", "/cart/")
PRODUCT = "from tests.factories import add_product; add_product('TEA', stock=1_000_000)"


@dataclass
class Answers:
    """What shoppers saw: they order and look at pages, a few times a second each."""

    placed: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def note(self, ask: httpx.Response | str, seconds: float) -> None:
        self.seconds.append(seconds)
        if isinstance(ask, str) or not ask.is_success:
            self.failed.append(
                ask if isinstance(ask, str) else f"{ask.status_code} {ask.text[:99]}"
            )

    def troubles(self) -> list[str]:
        """Return what a shopper would complain about."""
        bound = stretched(LONGEST)
        slow = [f"waited {seconds:.1f} s" for seconds in self.seconds if seconds > bound]
        return self.failed + slow


@contextmanager
def shoppers(url: str) -> Iterator[Answers]:
    """Let them shop during the block."""
    answers, over = Answers(), threading.Event()

    def shop() -> None:
        with httpx.Client(base_url=url, timeout=60, trust_env=False, verify=False) as client:
            while not over.wait(0.1):
                key = {"Idempotency-Key": new_key()}
                order = asked(
                    client, "POST", "/api/v1/orders", json=order_body(("TEA", 1)), headers=key
                )
                if order is not None:
                    answers.placed.append(order.json()["id"])
                    asked(client, "GET", f"/orders/{answers.placed[-1]}/")
                for page in PAGES:
                    asked(client, "GET", page)

    def asked(client: httpx.Client, method: str, path: str, **rest: Any) -> httpx.Response | None:
        began = time.monotonic()
        try:
            answer = client.request(method, path, **rest)
        except httpx.TransportError as error:
            answers.note(repr(error), time.monotonic() - began)
            return None
        answers.note(answer, time.monotonic() - began)
        return answer if answer.is_success else None

    threads = [threading.Thread(target=shop) for _client in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        over.set()
        for thread in threads:
            thread.join()


# ── The shop ────────────────────────────────────────────────────────────────────────────────
def manage(code: Path, url: str, *arguments: str, **more: str) -> str:
    """Run a command of this code on the database; return what it prints."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=code,
        env=os.environ | {"DATABASE_URL": url} | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def one(url: str, query: str, *values: Any) -> Any:
    """Return the query's first value."""
    with psycopg.connect(url) as session:
        row = session.execute(query, values).fetchone()
    return row[0] if row else None


@contextmanager
def database(name: str, *, template: str = "template0") -> Iterator[str]:
    """Make a database of this name for the block; yield its URL."""
    server = os.environ["DATABASE_URL"].rpartition("/")[0]
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as session:
        session.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        session.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    try:
        yield f"{server}/{name}"
    finally:
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as session:
            session.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def full_shop(old_code: Path) -> Iterator[str]:
    """The name of a database with 100,000 orders, as the release before has made it."""
    assert is_older(old_code)
    name = f"test_full_{os.getpid()}"
    with database(name) as url:
        manage(old_code, url, "migrate", "--verbosity", "0")
        manage(old_code, url, "demo")
        manage(old_code, url, "shell", "-c", PRODUCT)
        manage(old_code, url, "demo", "--orders", str(ORDERS))
        yield name


@pytest.fixture
def own_copy(full_shop: str) -> Iterator[str]:
    """The URL of a copy of it."""
    with database(f"{full_shop}_copy", template=full_shop) as url:
        yield url


def upgraded(
    tmp_path: Path, old_code: Path, url: str, migrate: Sequence[str], **more: str
) -> Answers:
    """Upgrade the shop while the release before sells; return what shoppers saw."""
    with web(tmp_path, code=old_code, log=tmp_path / "web.log", DATABASE_URL=url) as shop:
        with shoppers(shop.url) as answers:
            wait_until(lambda: len(answers.placed) > 20, seconds=stretched(60), what="it sells")
            del answers.seconds[:]  # the first ones wait for what each process loads
            time.sleep(CALM)
            manage(ROOT, url, *migrate, **more)
            time.sleep(CALM)
        return answers


def test_it_sells_while_it_is_upgraded_and_nothing_is_lost(
    tmp_path: Path, old_code: Path, own_copy: str
) -> None:
    answers = upgraded(tmp_path, old_code, own_copy, ["migrate", "--verbosity", "0"])

    assert answers.troubles() == []
    assert len(answers.placed) > 100
    placed = [UUID(key) for key in answers.placed]
    found = one(own_copy, "SELECT count(*) FROM orders_order WHERE id = ANY(%s)", placed)
    orders = one(own_copy, "SELECT count(*) FROM orders_order")
    left = one(
        own_copy,
        "SELECT available FROM orders_stock JOIN orders_product ON id = product_id"
        " WHERE sku = 'TEA'",
    )
    assert found == len(answers.placed)
    assert orders >= ORDERS + found
    assert left == 1_000_000 - found
    assert "No planned migration operations" in manage(ROOT, own_copy, "migrate", "--plan")
    manage(ROOT, own_copy, "audit")  # exits with 1 if it finds anything


LOCKING = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("notifications", "0030_covering_indexes_of_trouble")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE notifications_notification"
            f" ADD COLUMN code{number} uuid NOT NULL DEFAULT gen_random_uuid()"
        )
        for number in range(4)
    ]
"""
SETTINGS = """
from project.settings import *
INSTALLED_APPS = [*INSTALLED_APPS, "locking"]
"""


def test_control_a_migration_that_writes_a_table_anew_is_seen(
    tmp_path: Path, old_code: Path, own_copy: str
) -> None:
    """Defaults that differ by row: the messages are written anew while nobody may order."""
    migrations = tmp_path / "locking" / "migrations"
    migrations.mkdir(parents=True)
    for folder in (migrations, migrations.parent):
        (folder / "__init__.py").touch()
    (migrations / "0001_code.py").write_text(LOCKING)
    (tmp_path / "locking_settings.py").write_text(SETTINGS)

    answers = upgraded(
        tmp_path,
        old_code,
        own_copy,
        ["migrate", "--verbosity", "0"],
        DJANGO_SETTINGS_MODULE="locking_settings",
        PYTHONPATH=str(tmp_path),
    )

    assert one(own_copy, "SELECT count(*) FROM django_migrations WHERE app = 'locking'") == 1
    assert answers.troubles() != []
