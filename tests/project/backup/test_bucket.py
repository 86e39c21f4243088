"""Backups in an S3 bucket: as whole as in a folder, whenever the process that makes one dies."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection

from orders.models import User
from project.backup import bucket as bucket_module
from project.backup.bucket import BackupBucket, find_in_bucket, open_bucket
from project.backup.contents import CONTENTS
from project.backup.errors import BackupError
from project.backup.manifest import NAME
from project.backup.media import LIST
from project.backup.run import make_backup, make_scheduled_backup
from project.backup.snapshot import DUMP
from project.buckets import Prefix
from project.local.env import ROOT
from tests.database import this_database
from tests.media_jobs.buckets import (
    KEY,
    SECRET,
    client,
    keep_media_in,
    new_backup_place,
    new_bucket,
)
from tests.project.backup.scratch import Scratch, scratch_database

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])

USERS = "SELECT email FROM orders_user ORDER BY 1"


@pytest.fixture
def place(
    bucket_server: str, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """The place of backups in a bucket of the test's own; the shop has one user and one picture."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    default_storage.save("a.png", ContentFile(b"a picture"))
    User.objects.create(email="ada@example.org")
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    return new_backup_place(bucket_server, monkeypatch)


@pytest.fixture
def scratch(place: str, tmp_path: Path) -> Iterator[Scratch]:
    with scratch_database(tmp_path) as made:
        yield made


def objects(place: str) -> Prefix:
    bucket, _slash, prefix = place.removeprefix("s3://").partition("/")
    return Prefix(bucket, prefix)


def names(place: str) -> list[str]:
    return [name for name, _size in objects(place).names()]


def finished(place: str) -> list[str]:
    found = objects(place)
    return BackupBucket(found, Path(os.devnull)).finished()


def killed(number: int, place: str, settings: Any, *order: str) -> bool:
    """Make a backup that dies before its object with this number; tell whether it got so far."""
    module = "tests.project.backup.dying_backup"
    done = subprocess.run(
        [sys.executable, "-m", module, str(number), place, str(settings.MEDIA_ROOT), *order],
        cwd=ROOT,
        env=os.environ
        | {"DATABASE_URL": this_database(), "DJANGO_SETTINGS_MODULE": "project.settings"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stdout
    return done.returncode != 0


def test_a_backup_in_a_bucket_becomes_a_shop_again(
    place: str, scratch: Scratch, tmp_path: Path
) -> None:
    made = make_backup(place)

    code, said = scratch.manage("restore", place)

    assert code == 0, said
    assert f"Restoring {made['file']}" in said
    assert "Restored, and clean" in said
    assert scratch.all(USERS) == ["ada@example.org"]
    assert (tmp_path / "restored-media" / "a.png").read_bytes() == b"a picture"
    assert list((tmp_path / "tmp").iterdir()) == []


def test_an_older_one_is_restored_by_its_name(place: str, scratch: Scratch) -> None:
    first = make_backup(place)["file"]
    User.objects.create(username="bob", email="bob@example.org")
    call_command("backup", place)

    code, said = scratch.manage("restore", f"{place}/{first}")

    assert code == 0, said
    assert scratch.all(USERS) == ["ada@example.org"]


def test_media_go_from_bucket_to_bucket(
    place: str, scratch: Scratch, settings: Any, bucket_server: str
) -> None:
    keep_media_in(settings, new_bucket(bucket_server))
    default_storage.save("films/b.mp4", ContentFile(b"a film"))
    make_backup(place)
    restored = new_bucket(bucket_server)
    scratch.environment["MEDIA_STORAGE"] = restored

    code, said = scratch.manage("restore", place)

    assert code == 0, said
    keep_media_in(settings, restored)
    with default_storage.open("films/b.mp4") as film:
        assert film.read() == b"a film"


def test_whenever_it_is_killed_it_is_no_backup_and_the_next_one_is(
    place: str, settings: Any, scratch: Scratch, tmp_path: Path
) -> None:
    number = 1
    while killed(number, place, settings):
        assert finished(place) == []
        with pytest.raises(BackupError, match="has no finished backup"):
            find_in_bucket(*place.removeprefix("s3://").split("/", 1))
        number += 1
    # The content, the dump, two tables of which values are left out, the list, the manifest.
    assert number > 5

    [whole] = finished(place)
    assert {name.partition("/")[0] for name in names(place)} == {whole, CONTENTS}
    assert list((tmp_path / "tmp").iterdir()) == []  # what the killed ones left, too
    code, said = scratch.manage("restore", place)
    assert code == 0, said


def test_control_a_manifest_that_is_sent_first_makes_a_killed_backup_look_whole(
    place: str, settings: Any, scratch: Scratch
) -> None:
    assert killed(3, place, settings, "manifest-first")

    assert len(finished(place)) == 1
    code, said = scratch.manage("restore", place)
    assert (code, scratch.is_empty()) == (1, True), said


def test_an_upload_in_parts_that_was_interrupted_is_given_up(
    place: str, bucket_server: str
) -> None:
    found = objects(place)
    asked = {"Bucket": found.bucket, "Key": "shop/nightly/2026-01-01T000000Z/database.dump"}
    begun = client(bucket_server).create_multipart_upload(**asked)
    client(bucket_server).upload_part(
        **asked, UploadId=begun["UploadId"], PartNumber=1, Body=b"half of it"
    )
    assert client(bucket_server).list_multipart_uploads(Bucket=found.bucket)["Uploads"]

    make_backup(place)

    uploads = client(bucket_server).list_multipart_uploads(Bucket=found.bucket)
    assert not uploads.get("Uploads")


def test_the_second_backup_sends_only_what_is_new(place: str) -> None:
    first = make_backup(place)
    default_storage.save("b.png", ContentFile(b"another picture"))

    second = make_backup(place)

    assert (first["copied files"], second["copied files"]) == (1, 1)
    assert second["media files"] == 2
    assert len([name for name in names(place) if name.startswith(CONTENTS)]) == 2


def test_the_schedule_keeps_as_many_as_the_setting_says_with_what_they_list(
    place: str, settings: Any
) -> None:
    settings.BACKUP_FOLDER, settings.BACKUP_KEEP = place, 2
    make_scheduled_backup()
    default_storage.delete("a.png")
    default_storage.save("b.png", ContentFile(b"another picture"))

    made = [make_scheduled_backup() for _backup in range(2)]

    assert [each["removed"] for each in made] == [0, 1]
    assert finished(place) == [each["file"] for each in made]
    assert {name.partition("/")[0] for name in names(place)} == {*finished(place), CONTENTS}
    with open_bucket(*place.removeprefix("s3://").split("/", 1)) as bucket:
        kept = {file.sha256 for file in bucket.known_media().values()}
    contents = [name for name in names(place) if name.startswith(CONTENTS)]
    assert [name.rpartition("/")[2] for name in contents] == [*kept]


def test_what_else_lies_in_the_bucket_stays(place: str) -> None:
    found = objects(place)
    found.write("notes/readme.txt", "mine")
    Prefix(found.bucket, "").write("elsewhere/2026-01-01T000000Z/x", "mine")
    make_backup(place)

    make_backup(place, keep=1)

    assert found.read("notes/readme.txt") == "mine"
    assert Prefix(found.bucket, "").read("elsewhere/2026-01-01T000000Z/x") == "mine"


def test_a_damaged_object_is_refused_and_named(place: str, scratch: Scratch) -> None:
    name = make_backup(place)["file"]
    objects(place).write(f"{name}/{DUMP}", "no dump")

    code, said = scratch.manage("restore", place)

    assert code == 1
    assert f"{place}/{name}/{DUMP} is damaged" in said
    assert scratch.is_empty()


@pytest.mark.parametrize("content", [None, "another one"])
def test_a_picture_that_is_missing_or_damaged(
    place: str, scratch: Scratch, content: str | None
) -> None:
    make_backup(place)
    [picture] = [name for name in names(place) if name.startswith(CONTENTS)]
    objects(place).remove([picture])
    if content:
        objects(place).write(picture, content)

    code, said = scratch.manage("restore", place)

    assert code == 1
    assert f"{place}/{picture}, the content of a.png, is missing or damaged" in said
    assert scratch.is_empty()


def test_a_machine_without_room_for_the_files(
    place: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_backup(place)
    monkeypatch.setattr(bucket_module, "MARGIN", 10**12)

    with pytest.raises(BackupError, match=r"MB free, and the files .* another folder in TMPDIR"):
        make_backup(place)
    assert len(finished(place)) == 1


@pytest.mark.parametrize(
    ("where", "says"),
    [
        (f"s3://{KEY}:{SECRET}@host/bucket", "set AWS_ACCESS_KEY_ID"),
        ("s3://bucket/prefix?region=x", "set AWS_REGION"),
        ("s3://", "names no bucket"),
        ("gs://bucket/prefix", "neither a folder nor s3://"),
        ("s3://no-such-bucket/prefix", "Cannot use s3://no-such-bucket/prefix"),
    ],
)
def test_what_is_no_place(place: str, where: str, says: str) -> None:
    with pytest.raises(BackupError, match=says) as refusal:
        make_backup(where)
    assert SECRET not in str(refusal.value)


def test_the_bucket_of_the_media(place: str, settings: Any, bucket_server: str) -> None:
    media = new_bucket(bucket_server)
    keep_media_in(settings, media)
    bucket = media.rpartition("/")[2].partition("?")[0]

    with pytest.raises(BackupError, match="name another bucket than MEDIA_STORAGE"):
        make_backup(f"s3://{bucket}/backups")


def test_a_backup_that_has_no_manifest_is_named(place: str) -> None:
    name = make_backup(place)["file"]
    other = "2026-01-01T000000Z"
    objects(place).write(f"{other}/{LIST}", "")
    bucket, prefix = place.removeprefix("s3://").split("/", 1)

    assert find_in_bucket(bucket, prefix) == (prefix, name)
    with pytest.raises(BackupError, match=rf"no {NAME}: restore another one, such as {name}"):
        find_in_bucket(bucket, f"{prefix}/{other}")


def test_no_object_has_a_key(place: str, tmp_path: Path) -> None:
    make_backup(place)

    password = str(connection.settings_dict["PASSWORD"])
    for name in names(place):
        objects(place).fetch(name, tmp_path / "object")
        content = (tmp_path / "object").read_bytes()
        keys = (SECRET, os.environ["SECRET_KEY"], password)
        assert [key for key in keys if key.encode() in content] == []
