"""No backup has a secret: by the columns' names, and by what stands in a backup's files."""

import gzip
import re
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.auth.hashers import is_password_usable
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from notifications.models import Notification
from orders.models import User
from project.backup import run, snapshot
from project.backup.manifest import read_manifest, verify_files
from project.backup.programs import programs
from project.backup.rules import Rules, rules
from project.backup.run import make_backup
from project.backup.snapshot import COPIED, DUMP
from tests.database import this_database

LOOKS_SECRET = re.compile(r"password|secret|token|key|code|session|credential|private")
HARMLESS = {
    # Claims, which end with the old shop's workers.
    *(f"{table}.token" for table in ("project_manualrun", "notifications_notification")),
    *("media_jobs_mediajob.token", "orders_deskjob.token"),
    "notifications_webhookdelivery.token",
    "notifications_channelstate.tokens",  # how many messages it may send now
    "orders_upload.token",  # the key of the row and its file: an upload of an order is taken
    "orders_cart.checkout_key",  # of the user's own next order
    *("orders_stockmovement.key", "project_limitcounter.key"),  # what must not be done twice
    *("project_sweep.page_key", "orders_keptanswer.key", "orders_apianswer.key"),
    *("orders_order.voucher_code", "orders_voucher.code"),
    *("auth_permission.codename", "django_celery_beat_periodictask.routing_key"),
    *("orders_address.postcode", "orders_deliveryrate.code"),
    "orders_agentinstrument.token",  # of a simulated bank
}
"""Columns whose names sound like secrets, and that open nothing."""
SECRETS = ("hash-of-ada", "session-of-ada", "key-of-ada", "code-of-ada", "cached-of-ada")


def test_each_column_that_sounds_like_a_secret_is_left_out_or_known_as_harmless() -> None:
    found = {
        f"{model._meta.db_table}.{field.column}"
        for model in apps.get_models(include_auto_created=True)
        if model._meta.db_table not in rules().without_rows
        for field in model._meta.concrete_fields
        if LOOKS_SECRET.search(str(field.column))
    }
    replaced = {
        f"{table}.{column}" for table, columns in rules().replaced.items() for column in columns
    }

    assert found - replaced == HARMLESS


@pytest.mark.django_db
def test_the_rules_name_tables_and_columns_that_exist() -> None:
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        assert rules().without_rows <= tables
        for table, columns in rules().replaced.items():
            described = connection.introspection.get_table_description(cursor, table)
            assert columns.keys() <= {column.name for column in described}


def texts(backup: Path) -> str:
    """Return all that is readable in a backup."""
    info = connection.connection.info
    found = programs(host=info.host, port=info.port, server=info.server_version)
    dumped = subprocess.run(
        found.argv("pg_restore", "--file=-", str(backup / DUMP)), capture_output=True, check=True
    ).stdout.decode()
    for path in backup.iterdir():
        if path.name.endswith(COPIED):
            dumped += gzip.decompress(path.read_bytes()).decode()
        elif path.name != DUMP:
            dumped += path.read_text()
    return dumped


@pytest.fixture
def ada(settings: Any, tmp_path: Path) -> User:
    """A user with one of each secret."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    user = User.objects.create(email="ada@example.org", password="hash-of-ada")
    Session.objects.create(
        session_key="session-of-ada", session_data="…", expire_date=timezone.now()
    )
    Authenticator.objects.create(user=user, type="totp", data={"secret": "key-of-ada"})
    Notification.objects.create(
        kind="sign_in_code",
        event="sign_in_code",
        channel="email",
        recipient="ada@example.org",
        language="en",
        secrets={"code": "code-of-ada"},
    )
    cache.set("guesses", "cached-of-ada")
    return user


real_database = pytest.mark.django_db(transaction=True, databases=["default", "writer"])


@real_database
def test_a_backup_has_the_user_and_none_of_the_secrets(ada: User, tmp_path: Path) -> None:
    made = make_backup(tmp_path / "backups")

    backup = tmp_path / "backups" / made["file"]
    found = texts(backup)
    assert "ada@example.org" in found
    assert [secret for secret in SECRETS if secret in found] == []
    password = connection.settings_dict["PASSWORD"]
    assert password
    assert password not in found
    manifest = read_manifest(backup)
    verify_files(backup, manifest)
    assert manifest.rows["orders_user"] == User.objects.count()
    assert manifest.rows["django_session"] == 0
    assert manifest.left_out["orders_user"] == ["password"]


@real_database
def test_without_the_rules_the_secrets_are_found(
    ada: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above."""
    monkeypatch.setattr(run, "rules", Rules)

    made = make_backup(tmp_path / "backups")

    found = texts(tmp_path / "backups" / made["file"])
    missing = [secret for secret in SECRETS if secret not in found]
    assert missing == ["cached-of-ada"]  # it is pickled and encoded


def test_nobody_can_sign_in_with_the_password_of_a_backup() -> None:
    expression = rules().replaced["orders_user"]["password"]

    assert not is_password_usable(expression.strip("'"))


@real_database
def test_all_tables_are_of_one_moment(
    ada: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user who comes while the database is dumped is in no table of the backup."""
    dump = snapshot._dump

    def dump_and_wait(of: Any, path: Path) -> None:
        with psycopg.connect(this_database()) as other:
            other.execute("UPDATE orders_user SET first_name = 'Grace'")
            other.execute("DELETE FROM notifications_notification")
        dump(of, path)

    monkeypatch.setattr(snapshot, "_dump", dump_and_wait)
    made = make_backup(tmp_path / "backups")

    found = texts(tmp_path / "backups" / made["file"])
    assert "Grace" not in found
    assert read_manifest(tmp_path / "backups" / made["file"]).rows["notifications_notification"]
    assert not Notification.objects.exists()
