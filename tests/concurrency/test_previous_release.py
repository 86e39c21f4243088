"""The release before, on the tables of this one: as during a release, and after a rollback.

Which one that is stands in bin/migrations.toml.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from django.db import connection

from notifications.models import Notification
from orders.models import Order, ProductSales, Stock
from project.jobs.queryset import Status
from project.monitoring.audit import run_audit
from tests.concurrency.previous_release import is_older
from tests.concurrency.rush import new_key, order_body
from tests.concurrency.web import Web, web
from tests.concurrency.workers import open_inbox, running_worker
from tests.database import this_database
from tests.factories import add_product
from tests.live import wait_until

pytestmark = [
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.xdist_group("live"),
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.timeout(300),
]

ORDERS = 20


@contextmanager
def relay(code: Path, *, environment: dict[str, str], log: Path) -> Iterator[None]:
    with open(log, "wb") as file:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "relay"],
            cwd=code,
            env=environment,
            stdout=file,
            stderr=file,
        )
    try:
        yield
        assert process.poll() is None, log.read_text()
    finally:
        process.terminate()
        process.wait(40)


def order(shop: Web) -> httpx.Response:
    return httpx.post(
        f"{shop.url}/api/v1/orders",
        json=order_body(("TEA", 1)),
        headers={"Idempotency-Key": new_key()},
        timeout=30,
        trust_env=False,
    )


def test_the_release_before_places_orders_and_does_their_jobs_on_the_new_tables(
    tmp_path: Path, old_code: Path
) -> None:
    add_product("TEA", stock=100)
    assert is_older(old_code)
    with open_inbox() as inbox:
        own = {"DATABASE_URL": this_database(), "EMAIL_URL": inbox.url}
        with (
            web(tmp_path, code=old_code, **own) as shop,
            relay(old_code, environment=os.environ | own, log=tmp_path / "relay.log"),
            running_worker("notify", environment=own, log=tmp_path / "notify.log", code=old_code),
        ):
            answers = [order(shop) for _order in range(ORDERS)]
            wait_until(
                lambda: Notification.objects.filter(status=Status.DONE).count() >= ORDERS,
                seconds=120,
                what="their messages are sent",
            )

    assert {answer.status_code for answer in answers} == {201}
    assert len(inbox.messages) == ORDERS
    assert not Notification.objects.exclude(status=Status.DONE).exists()
    assert Order.objects.count() == ORDERS
    assert Stock.objects.get().available == 100 - ORDERS
    assert ProductSales.objects.get().units == ORDERS
    assert [finding for finding in run_audit().findings if finding["violations"]] == []


def test_control_a_column_that_it_does_not_fill_stops_it(tmp_path: Path, old_code: Path) -> None:
    add_product("TEA", stock=100)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_order ADD COLUMN unfilled integer NOT NULL")
    try:
        with web(tmp_path, code=old_code) as shop:
            assert order(shop).status_code >= 500
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE orders_order DROP COLUMN unfilled")
    assert not Order.objects.exists()
