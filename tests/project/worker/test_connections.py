"""A task's database connection outlives it, unless it is broken, too old, or a coroutine's."""

from types import SimpleNamespace
from typing import Any

import pytest
from celery.fixups.django import DjangoWorkerFixup
from django.db import connection

from project.celery import app
from project.worker.connections import KeepingFixup, KeepingWorkerFixup

pytestmark = pytest.mark.django_db(transaction=True)

TASK = SimpleNamespace(request=SimpleNamespace(is_eager=False))


@pytest.fixture(autouse=True)
def kept_for_ten_minutes() -> Any:
    """As in a worker; tests that write close theirs as they begin."""
    before = connection.settings_dict["CONN_MAX_AGE"]
    connection.settings_dict["CONN_MAX_AGE"] = 600
    connection.close()
    yield
    connection.settings_dict["CONN_MAX_AGE"] = before
    connection.close()


def worker_fixup(kind: type[DjangoWorkerFixup], *, is_green: bool = False) -> Any:
    fixup = kind(app)
    fixup.worker = SimpleNamespace(pool_cls=type("Pool", (), {"is_green": is_green}))
    return fixup


def backend() -> int:
    """The server's process behind our connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def run_task(fixup: Any) -> int:
    fixup.on_task_prerun(sender=TASK)
    pid = backend()
    fixup.on_task_postrun(sender=TASK)
    return pid


def test_the_application_has_this_fixup_and_not_celerys_own() -> None:
    [fixup] = app._fixups

    assert type(fixup) is KeepingFixup
    assert type(fixup.worker_fixup) is KeepingWorkerFixup


def test_two_tasks_of_a_thread_share_its_connection() -> None:
    fixup = worker_fixup(KeepingWorkerFixup)

    assert run_task(fixup) == run_task(fixup)


def test_control_celerys_own_connects_for_each_task() -> None:
    fixup = worker_fixup(DjangoWorkerFixup)

    assert run_task(fixup) != run_task(fixup)


def test_a_connection_that_died_between_two_tasks_is_replaced() -> None:
    fixup = worker_fixup(KeepingWorkerFixup)
    dead = run_task(fixup)
    connection.connection.pgconn.finish()

    assert run_task(fixup) != dead


def test_a_connection_that_is_too_old_is_replaced() -> None:
    fixup = worker_fixup(KeepingWorkerFixup)
    old = run_task(fixup)
    connection.close_at = 0.0

    assert run_task(fixup) != old


def test_a_coroutine_leaves_no_connection_behind() -> None:
    run_task(worker_fixup(KeepingWorkerFixup, is_green=True))

    assert connection.connection is None
