"""A pooler before the database is recognised: with the real PgBouncer, in each of its modes."""

import os
import subprocess
import sys
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from project.database.poolers import Sessions, sessions_of
from project.local.env import ROOT, without_settings
from tests.database import this_database
from tests.project.conf.production import PRODUCTION
from tests.project.database.pgbouncer import pgbouncer, role_with_timeouts

pytestmark = pytest.mark.django_db(transaction=True, available_apps=["notifications"])

START = """
import django
django.setup()
from project.checks import stop_at_errors
stop_at_errors()
print("started")
"""


def start(url: str, *, tmp_path: Any, **variables: str) -> str:
    """Start a process of a shop in production; return what it says."""
    media = tmp_path / "media"
    media.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", START],
        cwd=ROOT,
        env={
            **without_settings(os.environ),
            "TANDEM_DATA": "/nowhere",
            "DJANGO_SETTINGS_MODULE": "project.settings",
            **PRODUCTION,
            "MEDIA_STORAGE": str(media),
            "DATABASE_URL": url,
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


def test_without_a_pooler_each_client_has_a_session_of_its_own() -> None:
    assert sessions_of(conninfo_to_dict(this_database())) is Sessions.OWN


@pytest.mark.parametrize(
    ("mode", "sessions"),
    [
        ("session", Sessions.POOLED),
        ("transaction", Sessions.SHARED),
        ("statement", Sessions.SHARED),
    ],
)
def test_a_pooler_is_known_by_the_sessions_that_it_gives(mode: str, sessions: Sessions) -> None:
    with pgbouncer(this_database(), mode=mode) as pooled:
        assert sessions_of(conninfo_to_dict(pooled)) is sessions


def test_a_shop_behind_one_that_shares_sessions_does_not_start(tmp_path: Any) -> None:
    assert "started" in start(this_database(), tmp_path=tmp_path), "the control"

    with pgbouncer(this_database(), mode="transaction", ignored="options") as pooled:
        said = start(pooled, tmp_path=tmp_path)

    assert "gives each transaction another session" in said
    assert "PAGES_DATABASE_URL" in said
    assert "started" not in said


def test_one_that_refuses_timeouts_is_named(tmp_path: Any) -> None:
    with pgbouncer(this_database(), mode="session") as pooled:
        said = start(pooled, tmp_path=tmp_path, TANDEM_WEB_PROCESS="1")

    assert "refuses the timeouts" in said
    assert "started" not in said


def test_in_session_mode_the_role_keeps_the_timeouts(tmp_path: Any) -> None:
    database = this_database()
    with pgbouncer(database, mode="session", ignored="options") as pooled:
        said = start(pooled, tmp_path=tmp_path, TANDEM_WEB_PROCESS="1")
    assert "no lock_timeout and no statement_timeout" in said
    assert "started" not in said

    with (
        role_with_timeouts(database),
        pgbouncer(database, mode="session", ignored="options") as pooled,
    ):
        assert "started" in start(pooled, tmp_path=tmp_path, TANDEM_WEB_PROCESS="1")


def test_pages_may_share_sessions_that_have_timeouts(tmp_path: Any) -> None:
    database = this_database()
    with pgbouncer(database, mode="transaction") as pooled:
        web = {"TANDEM_WEB_PROCESS": "1", "PAGES_DATABASE_URL": pooled}
        said = start(database, tmp_path=tmp_path, **web)
    assert "no lock_timeout and no statement_timeout" in said

    with (
        role_with_timeouts(database),
        pgbouncer(database, mode="transaction") as pooled,
    ):
        web["PAGES_DATABASE_URL"] = pooled
        assert "started" in start(database, tmp_path=tmp_path, **web)
