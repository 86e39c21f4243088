"""Restores by the command, into databases of their own: whole, or not at all."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orders.models import User
from project.backup.manifest import NAME
from project.backup.run import make_backup
from tests.project.backup.scratch import Scratch, scratch_database

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])

USERS = "SELECT email FROM orders_user ORDER BY 1"


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Scratch]:
    with scratch_database(tmp_path) as made:
        yield made


@pytest.fixture
def backup(settings: Any, tmp_path: Path) -> Path:
    """A backup of the test database, with one user and one picture."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "a.png").write_bytes(b"a picture")
    User.objects.create(email="ada@example.org", password="hash-of-ada")
    return tmp_path / "backups" / make_backup(tmp_path / "backups")["file"]


def test_a_backup_becomes_a_shop_again(scratch: Scratch, backup: Path, tmp_path: Path) -> None:
    code, said = scratch.manage("restore", str(backup.parent))

    assert code == 0, said
    assert "Restored, and clean" in said
    assert scratch.all(USERS) == ["ada@example.org"]
    assert (tmp_path / "restored-media" / "a.png").read_bytes() == b"a picture"


def test_what_is_there_stays_unless_it_is_to_be_replaced(scratch: Scratch, backup: Path) -> None:
    scratch.do("CREATE TABLE other (id int); CREATE SEQUENCE orders_order_number")

    code, said = scratch.manage("restore", str(backup))
    assert (code, "isn't empty" in said) == (1, True)
    assert scratch.all("SELECT count(*) FROM other") == [0]

    code, said = scratch.manage("restore", str(backup), "--replace")
    assert code == 0, said
    assert scratch.all("SELECT to_regclass('other')") == [None]
    assert scratch.all(USERS) == ["ada@example.org"]


def test_a_backup_without_all_its_rows_changes_nothing(scratch: Scratch, backup: Path) -> None:
    manifest = json.loads((backup / NAME).read_text())
    manifest["rows"]["orders_user"] += 1
    (backup / NAME).write_text(json.dumps(manifest))

    code, said = scratch.manage("restore", str(backup))

    assert code == 1
    assert "the backup has 2 rows of orders_user, and 1 were restored" in said
    assert scratch.is_empty()


def test_a_failed_replacement_leaves_the_old_shop(scratch: Scratch, backup: Path) -> None:
    manifest = json.loads((backup / NAME).read_text())
    manifest["rows"]["orders_user"] += 1
    (backup / NAME).write_text(json.dumps(manifest))
    scratch.do("CREATE TABLE other (id int); INSERT INTO other VALUES (1)")

    code, said = scratch.manage("restore", str(backup), "--replace")

    assert (code, "is as it was" in said) == (1, True)
    assert scratch.all("SELECT id FROM other") == [1]


@pytest.mark.slow
def test_a_backup_of_an_older_version_is_migrated(scratch: Scratch, tmp_path: Path) -> None:
    scratch.manage("migrate")
    scratch.manage("migrate", "project", "0025")
    assert scratch.all("SELECT to_regclass('project_performancerun')") == [None]
    code, said = scratch.manage("backup", str(tmp_path / "old"))
    assert code == 0, said

    code, said = scratch.manage("restore", str(tmp_path / "old"), "--replace")

    assert code == 0, said
    assert scratch.all("SELECT to_regclass('project_performancerun')::text") == [
        "project_performancerun"
    ]
