"""A restored backup has whom the shop erased later; they are erased from it again."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.utils import timezone
from psycopg import sql

from orders.models import ErasedAddress
from orders.personal_data.erased import JOURNAL, addresses_of, digest_of, erased_since, note
from project.backup.folder import BackupFolder
from project.backup.place import open_place
from project.backup.run import make_backup
from project.local.env import ROOT
from tests.factories import add_product, make_order
from tests.media_jobs.buckets import new_backup_place
from tests.order_states import cancelled

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = "SELECT name FROM orders_order ORDER BY number"


@pytest.fixture
def scratch() -> Iterator[str]:
    """Return the URL of an empty database."""
    server = os.environ["DATABASE_URL"].rpartition("/")[0]
    name = f"test_erased_again_{os.getpid()}"
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as session:
        session.execute(drop)
        session.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield f"{server}/{name}"
        session.execute(drop)


def restored(url: str, backups: Path | str, folder: Path, *options: str) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "restore", str(backups), *options],
        env=os.environ | {"DATABASE_URL": url, "MEDIA_STORAGE": str(folder / "restored")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def names_in(url: str) -> list[str]:
    with psycopg.connect(url) as session:
        return [row[0] for row in session.execute(NAMES)]


@pytest.fixture
def backups(settings: Any, tmp_path: Path) -> Path:
    """A backup with orders of Ada and Bob; Ada was erased after it."""
    make_backup_and_erase(str(tmp_path / "backups"), settings, tmp_path)
    return tmp_path / "backups"


def make_backup_and_erase(place: str, settings: Any, folder: Path) -> None:
    settings.MEDIA_ROOT = str(folder / "media")
    (folder / "media").mkdir()
    add_product("TEA")
    cancelled(("TEA", 1))
    cancelled(("TEA", 1), name="Bob", email="bob@example.org")
    make_backup(place)
    settings.BACKUP_FOLDER = place
    call_command("person", "erase", "ada@example.org")


def test_whom_the_shop_erased_after_the_backup_is_erased_again(
    backups: Path, scratch: str, tmp_path: Path
) -> None:
    said = restored(scratch, backups, tmp_path)

    assert names_in(scratch) == ["[erased]", "Bob"]
    assert "is erased again" in said
    assert "ada@example.org" not in said


def test_the_journal_of_backups_in_a_bucket_is_there_too(
    bucket_server: str,
    scratch: str,
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = new_backup_place(bucket_server, monkeypatch)
    make_backup_and_erase(place, settings, tmp_path)

    said = restored(scratch, place, tmp_path)

    assert names_in(scratch) == ["[erased]", "Bob"]
    assert "is erased again" in said
    with open_place(place) as backups:
        [line] = backups.notes(JOURNAL)
    assert line.endswith(digest_of("ada@example.org"))


def test_without_the_journal_the_person_is_back(
    backups: Path, scratch: str, tmp_path: Path
) -> None:
    """The control: the backup has her."""
    (backups / JOURNAL).unlink()

    restored(scratch, backups, tmp_path)

    assert names_in(scratch) == ["Ada Lovelace", "Bob"]


def test_a_database_that_is_replaced_tells_whom_it_has_erased(
    backups: Path, scratch: str, tmp_path: Path
) -> None:
    restored(scratch, backups, tmp_path)
    (backups / JOURNAL).unlink()

    restored(scratch, backups, tmp_path, "--replace")

    assert names_in(scratch) == ["[erased]", "Bob"]


def test_the_journal_names_nobody_and_is_its_owners_alone(backups: Path) -> None:
    text = (backups / JOURNAL).read_text()

    assert digest_of("ada@example.org") in text
    assert "ada" not in text
    assert (backups / JOURNAL).stat().st_mode & 0o777 == 0o600


def test_a_line_that_a_crash_cut_off_spoils_no_later_one(tmp_path: Path) -> None:
    journal = tmp_path / JOURNAL
    whole = f"2026-03-01T10:00:00+00:00 {digest_of('bob@example.org')}"
    journal.write_text(whole[:40])

    note(BackupFolder(tmp_path), [erased("ada@example.org")])
    note(BackupFolder(tmp_path), [erased("cleo@example.org")])

    assert set(erased_since(BackupFolder(tmp_path), LONG_AGO)) == {
        digest_of("ada@example.org"),
        digest_of("cleo@example.org"),
    }
    assert len(journal.read_text().splitlines()) == 3


def erased(email: str) -> ErasedAddress:
    return ErasedAddress(digest=digest_of(email), erased_at=timezone.now())


def test_a_hash_of_an_earlier_key_still_finds_its_address(settings: Any) -> None:
    make_order()
    digest = digest_of("ADA@example.org")
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"

    assert addresses_of([digest]) == ["ada@example.org"]
    assert not ErasedAddress.objects.exists()
