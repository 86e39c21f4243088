"""The bounds of each kind of process reach its connections."""

import os
import subprocess
import sys
import threading

import pytest
from django.db import connections
from django.db.backends.signals import connection_created

from project.database.timeouts import WEB, WORKER, WRITER, Bounds
from project.local.env import ROOT
from tests.database import this_database

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])


def bounds_of(alias: str) -> Bounds:
    """Return the bounds of a new connection by this alias."""
    found = []

    def ask() -> None:
        with connections[alias].cursor() as cursor:
            for name in ("lock", "statement", "idle_in_transaction_session"):
                cursor.execute(f"SHOW {name}_timeout")
                found.append(cursor.fetchone()[0])
        connections.close_all()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    return Bounds(*found)


def test_a_writer_has_its_own_and_a_command_none() -> None:
    assert bounds_of("writer") == WRITER
    assert bounds_of("default") == Bounds("0", "0")


def test_the_web_has_its_own() -> None:
    asked = "from django.db import connection as c; c.cursor().execute('SELECT 1');"
    asked += "print([c.cursor().execute(f'SHOW {n}_timeout').fetchone()[0]"
    asked += " for n in ('lock', 'statement')])"
    shown = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "shell", "-v0", "-c", asked],
        env=os.environ | {"DATABASE_URL": this_database(), "TANDEM_WEB_PROCESS": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert f"['{WEB.lock}', '{WEB.statement}']" in shown.stdout, shown.stderr


def test_a_worker_has_its_own_on_every_connection_it_makes() -> None:
    from celery.signals import beat_init, worker_init

    from project.celery import bound_waits

    for starts in (worker_init, beat_init):
        assert bound_waits in [receiver() for _key, receiver in starts.receivers]
    bound_waits()
    try:
        assert bounds_of("default") == WORKER
        assert bounds_of("writer") == WRITER
    finally:
        connection_created.disconnect(dispatch_uid="project.database.timeouts")
