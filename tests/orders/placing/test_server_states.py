"""A database that is read-only, or ends sessions, delays orders: none is taken for a bad one."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from orders.models import Order, Stock
from orders.placing import offers, placement
from orders.placing.errors import PlacementFailed, ShopBusy
from orders.placing.placement import place_order
from orders.placing.row_locks import RowLocks
from project.database.errors import Remedy
from project.group_commit import committer
from project.monitoring.audit import run_audit
from tests.factories import add_product, new_key, order_request
from tests.orders.placing.threads import cut_writers, wait_until

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])

BODY = {"name": "Ada", "email": "ada@example.org", "lines": [{"sku": "TEA", "quantity": 1}]}


@contextmanager
def read_only_server() -> Iterator[None]:
    """Make the database read-only for each new session, as a standby is; end the old ones."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        name = cursor.fetchone()[0]
        cursor.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    try:
        cut_writers()
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = off")
            cursor.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')


@pytest.fixture
def by_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the SQLSTATE out: Django's class decides alone, as it once did."""

    def remedy(error: BaseException) -> Remedy:
        return Remedy.RECONNECT if isinstance(error, OperationalError) else Remedy.NONE

    monkeypatch.setattr(committer, "remedy", remedy)


def test_a_read_only_server_is_busy_and_orders_go_on_when_it_can_write_again() -> None:
    add_product("TEA")
    place_order(order_request(("TEA", 1)))

    with read_only_server(), pytest.raises(ShopBusy):
        place_order(order_request(("TEA", 1)))

    # The sessions of that time stay read-only for ever: they were dropped.
    place_order(order_request(("TEA", 1)))
    assert Order.objects.count() == 2
    assert Stock.objects.get().available == 98
    assert run_audit().is_clean


def test_an_order_that_meets_the_end_of_the_read_only_time_is_placed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_product("TEA")
    place_order(order_request(("TEA", 1)))
    with read_only_server():
        outcome: list[Any] = []

        def place() -> None:
            outcome.append(place_order(order_request(("TEA", 1))))
            connection.close()

        met = threading.Event()
        real = RowLocks.acquire

        def acquire(self: RowLocks, *args: Any) -> Any:
            met.set()
            return real(self, *args)

        monkeypatch.setattr(RowLocks, "acquire", acquire)
        thread = threading.Thread(target=place)
        thread.start()
        assert met.wait(20)
    thread.join()

    assert not outcome[0].replayed


def test_control_by_the_class_of_the_error_it_is_a_bad_order(by_class: None) -> None:
    add_product("TEA")
    place_order(order_request(("TEA", 1)))

    with read_only_server(), pytest.raises(PlacementFailed):
        place_order(order_request(("TEA", 1)))

    with pytest.raises(PlacementFailed):  # and the connection was never dropped
        place_order(order_request(("TEA", 1)))


class FrozenOnce:
    """The stock writer stands still in its first transaction until the server ends the session."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        real = RowLocks.acquire

        def acquire(locks: RowLocks, writer: Any, product_ids: Any) -> Any:
            answer = real(locks, writer, product_ids)
            if '"orders_stock"' in locks._read:
                self.calls += 1
                if self.calls == 1:
                    self._freeze(writer)
            return answer

        monkeypatch.setattr(RowLocks, "acquire", acquire)

    def _freeze(self, writer: Any) -> None:
        with writer.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '50ms'")
        pid = writer.connection.info.backend_pid
        assert wait_until(lambda: not is_alive(pid), seconds=20)
        connection.close()


def is_alive(pid: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", [pid])
        return cursor.fetchone()[0] > 0


def test_a_writer_whose_session_the_server_ended_repeats_its_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_product("TEA")
    frozen = FrozenOnce(monkeypatch)

    place_order(order_request(("TEA", 1)))

    assert frozen.calls == 2
    assert Order.objects.count() == 1


@pytest.mark.parametrize("state", ["25P03", "25006", "57P05", "57P01"])
def test_a_repeat_that_cannot_be_read_is_not_an_error_of_the_shop(
    client: Client, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    add_product("TEA")
    key = new_key()
    assert post_order(client, key).status_code == 201
    failures = ending_reads(monkeypatch, state)

    answer = post_order(client, key)

    assert failures
    assert answer.status_code == 503
    assert post_order(client, key).status_code == 200


def post_order(client: Client, key: str) -> Any:
    return client.post("/api/v1/orders", BODY, "application/json", headers={"Idempotency-Key": key})


def ending_reads(monkeypatch: pytest.MonkeyPatch, state: str) -> list[str]:
    """Have the server answer the next read of an order that exists with this SQLSTATE."""
    failures: list[str] = []
    real = placement._repeated

    def repeated(*args: Any) -> Any:
        if not failures:
            failures.append(state)
            with connection.cursor() as cursor:
                cursor.execute(f"DO $$ BEGIN RAISE 'no' USING ERRCODE = '{state}'; END $$")
        return real(*args)

    monkeypatch.setattr(placement, "_repeated", repeated)
    return failures


def test_a_look_on_a_session_that_was_ended_is_made_again() -> None:
    add_product("TEA")
    request = order_request(("TEA", 1))
    place_order(request)
    Order.objects.exists()  # a connection
    end_own_session()

    assert place_order(request).replayed


def test_control_without_the_second_attempt_the_shop_is_busy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_product("TEA")
    request = order_request(("TEA", 1))
    place_order(request)
    monkeypatch.setattr(offers, "remedy", lambda error: Remedy.NONE)
    Order.objects.exists()
    end_own_session()

    with pytest.raises(ShopBusy):
        place_order(request)


def end_own_session() -> None:
    with pytest.raises(OperationalError), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.mark.parametrize(("path", "status"), [("/", 503), ("/api/v1/products", 503)])
def test_pages_say_busy_where_the_server_ended_the_session(
    client: Client, monkeypatch: pytest.MonkeyPatch, path: str, status: int
) -> None:
    """25P03 is an InternalError: by its class it would be a fault of ours, 500."""
    client.raise_request_exception = False
    real = connection.cursor

    def cursor(*args: Any) -> Any:
        opened = real(*args)
        opened.execute("DO $$ BEGIN RAISE 'no' USING ERRCODE = '25P03'; END $$")
        return opened

    with monkeypatch.context() as broken:
        broken.setattr(connection, "cursor", cursor)
        answer = client.get(path)

    assert answer.status_code == status
    assert answer["Retry-After"]


def test_a_fault_of_a_statement_is_still_an_error(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_product("TEA")
    client.raise_request_exception = False
    monkeypatch.setattr(offers, "_read", lambda *args: broken_statement())

    answer = post_order(client, new_key())

    assert answer.status_code == 500


def broken_statement() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DO $$ BEGIN RAISE 'no' USING ERRCODE = 'XX000'; END $$")
