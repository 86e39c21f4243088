"""What each error of a real PostgreSQL means, and that a bad connection is dropped."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import (
    DataError,
    Error,
    InterfaceError,
    OperationalError,
    connection,
    connections,
    transaction,
)
from django.db.backends.base.base import BaseDatabaseWrapper

from project.database.errors import (
    REMEDIES,
    Remedy,
    drop,
    dropped_if_lost,
    is_passing,
    remedy,
    sqlstate,
)

pytestmark = pytest.mark.django_db(
    transaction=True, databases=["default", "writer"], available_apps=["project"]
)


@pytest.fixture
def other() -> Iterator[BaseDatabaseWrapper]:
    """Another connection than the test's own, for what happens to its session."""
    yield connections["writer"]
    connections["writer"].close()


def run(on: BaseDatabaseWrapper, *statements: str) -> Any:
    """Run the statements, each in a transaction of its own; return the last one's first value."""
    with on.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None


def failure_of(on: BaseDatabaseWrapper, *statements: str) -> Error:
    with pytest.raises(Error) as failed:
        run(on, *statements)
    return failed.value


def backend(on: BaseDatabaseWrapper) -> int:
    return run(on, "SELECT pg_backend_pid()")


def end_session(on: BaseDatabaseWrapper) -> None:
    run(connection, f"SELECT pg_terminate_backend({backend(on)}, 5000)")


def wait_for_its_end(on: BaseDatabaseWrapper, pid: int) -> None:
    end = time.monotonic() + 20
    alive = f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}"
    while run(connection, alive):
        assert time.monotonic() < end
        time.sleep(0.01)


# ── What the server says ────────────────────────────────────────────────────────────────────
def test_a_read_only_server_is_left_for_another_connection(other: BaseDatabaseWrapper) -> None:
    error = failure_of(other, "SET default_transaction_read_only = on", "CREATE TABLE t (i int)")

    assert sqlstate(error) == "25006"
    assert remedy(error) is Remedy.RECONNECT
    assert not isinstance(error, OperationalError)  # why Django's classes don't do


@pytest.mark.parametrize(
    ("state", "timeout", "first"),
    [
        ("25P03", "idle_in_transaction_session_timeout", "BEGIN"),
        ("57P05", "idle_session_timeout", "SELECT 1"),
        ("25P04", "transaction_timeout", "BEGIN"),
    ],
)
def test_a_session_that_the_server_ended_is_replaced(
    other: BaseDatabaseWrapper, state: str, timeout: str, first: str
) -> None:
    pid = backend(other)
    run(other, f"SET {timeout} = '50ms'", first)
    wait_for_its_end(other, pid)

    error = failure_of(other, "SELECT 1")

    assert sqlstate(error) in (state, None)  # the server's word, or nothing but a closed socket
    assert remedy(error) is Remedy.RECONNECT


def test_a_session_that_somebody_ended_is_replaced(other: BaseDatabaseWrapper) -> None:
    end_session(other)

    error = failure_of(other, "SELECT 1")

    assert sqlstate(error) in ("57P01", None)
    assert remedy(error) is Remedy.RECONNECT
    assert remedy(failure_of(other, "SELECT 1")) is Remedy.RECONNECT  # a closed connection


def test_a_server_that_is_not_there_is_tried_again() -> None:
    with pytest.raises(psycopg.OperationalError) as refused:
        psycopg.connect("host=127.0.0.1 port=1 connect_timeout=2")

    assert sqlstate(refused.value) is None
    assert remedy(refused.value) is Remedy.RECONNECT


def test_a_statement_that_takes_too_long_may_be_repeated(other: BaseDatabaseWrapper) -> None:
    error = failure_of(other, "SET statement_timeout = '20ms'", "SELECT pg_sleep(5)")

    assert sqlstate(error) == "57014"
    assert remedy(error) is Remedy.REPEAT


def test_a_lock_that_is_not_to_be_had_may_be_repeated(other: BaseDatabaseWrapper) -> None:
    with transaction.atomic():
        run(connection, "SELECT pg_advisory_xact_lock(1)")

        error = failure_of(other, "SET lock_timeout = '20ms'", "SELECT pg_advisory_xact_lock(1)")

    assert sqlstate(error) == "55P03"
    assert remedy(error) is Remedy.REPEAT


def test_one_of_two_that_deadlock_may_be_repeated() -> None:
    errors: list[Error] = []
    both = threading.Barrier(2)

    def cross(first: int, second: int) -> None:
        try:
            with transaction.atomic(using="writer"):
                mine = connections["writer"]
                run(mine, "SET LOCAL lock_timeout = 0", f"SELECT pg_advisory_xact_lock({first})")
                both.wait(20)
                run(mine, f"SELECT pg_advisory_xact_lock({second})")
        except Error as error:
            errors.append(error)
        finally:
            connections["writer"].close()

    threads = [threading.Thread(target=cross, args=pair) for pair in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [sqlstate(error) for error in errors] == ["40P01"]
    assert remedy(errors[0]) is Remedy.REPEAT


@pytest.mark.parametrize("state", [state for state in REMEDIES if len(state) == 5])
def test_each_state_of_the_table_is_found_by_what_the_server_raises(state: str) -> None:
    error = failure_of(
        connection, f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$"
    )

    assert sqlstate(error) == state
    assert remedy(error) is REMEDIES[state]
    assert is_passing(error) is (REMEDIES[state] is not Remedy.NONE)


@pytest.mark.parametrize(
    ("state", "expected"),
    [("08006", Remedy.RECONNECT), ("53100", Remedy.REPEAT), ("40001", Remedy.REPEAT)],
)
def test_a_state_that_the_table_does_not_name_goes_by_its_class(
    state: str, expected: Remedy
) -> None:
    error = failure_of(
        connection, f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$"
    )

    assert remedy(error) is expected


# ── What is nobody's fault but the statement's ──────────────────────────────────────────────
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 / 0",
        "SELECT * FROM no_such_table",
        "INSERT INTO project_sweep (name) VALUES ('twice'), ('twice')",
        "INSERT INTO project_sweep (name) VALUES (NULL)",
        "SELECT repeat('x', 1 << 30) || repeat('x', 1 << 30)",  # program limit exceeded
        "DO $$ BEGIN RAISE EXCEPTION 'no'; END $$",
    ],
)
def test_a_statement_that_would_fail_again_is_not_repeated(statement: str) -> None:
    assert remedy(failure_of(connection, statement)) is Remedy.NONE


def test_a_complaint_about_the_arguments_is_not_repeated() -> None:
    with pytest.raises(DataError) as refused, connection.cursor() as cursor:
        cursor.execute("SELECT %s", ["a NUL \x00"])

    assert remedy(refused.value) is Remedy.NONE


@pytest.mark.parametrize("error", [ValueError("no"), None, KeyError(OperationalError())])
def test_other_errors_are_not_the_database(error: BaseException | None) -> None:
    assert remedy(error) is Remedy.NONE


@pytest.mark.parametrize("error", [OperationalError("away"), InterfaceError("closed")])
def test_an_error_without_a_word_of_the_server_is_a_lost_connection(error: Error) -> None:
    assert remedy(error) is Remedy.RECONNECT


# ── Dropping ────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def pooled(
    other: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> Iterator[BaseDatabaseWrapper]:
    """A connection that comes from a pool, as the web process's do."""
    other.close()
    pool = {"pool": {"min_size": 1, "max_size": 1}}
    with monkeypatch.context() as settings:
        settings.setitem(other.settings_dict, "CONN_MAX_AGE", 0)
        settings.setitem(other.settings_dict, "OPTIONS", other.settings_dict["OPTIONS"] | pool)
        yield other
        other.close()
        other.close_pool()


def test_a_dropped_connection_does_not_come_back_from_the_pool(
    pooled: BaseDatabaseWrapper,
) -> None:
    pid = backend(pooled)
    pooled.close()
    assert backend(pooled) == pid  # the control: Django's own close gives it back

    drop(pooled)

    assert backend(pooled) != pid
    wait_for_its_end(pooled, pid)


@pytest.mark.parametrize(
    ("state", "stays"), [("25006", False), ("57P01", False), ("40P01", True), ("23505", True)]
)
def test_a_connection_is_dropped_only_where_that_helps(
    other: BaseDatabaseWrapper, state: str, stays: bool
) -> None:
    pid = backend(other)
    error = failure_of(other, f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$")

    assert dropped_if_lost(error, other) is (state != "23505")

    assert (backend(other) == pid) is stays


def test_a_connection_in_a_transaction_is_left_to_its_end(other: BaseDatabaseWrapper) -> None:
    with transaction.atomic(using="writer"):
        pid = backend(other)

        drop(other)

        assert backend(other) == pid
