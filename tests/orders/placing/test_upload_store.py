"""Storing an uploaded picture or video, and pruning uploads without an order."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from media_jobs.filetypes import UnusableFileError
from orders.models import Upload
from orders.placing import upload_store
from orders.placing.upload_store import (
    TooManyUploadsError,
    check_limit,
    discard,
    prune_uploads,
    store_upload,
)
from tests.factories import uploaded_file
from tests.media_jobs.originals import alpha_png

HEIC = b"\x00\x00\x00\x18ftypheic" + bytes(300)
MP4 = b"\x00\x00\x00\x18ftypisom" + bytes(300)


pytestmark = pytest.mark.usefixtures("storage")


def aged(upload: Upload, **age: float) -> Upload:
    Upload.objects.filter(pk=upload.pk).update(created_at=Now() - timedelta(**age))
    return upload


@pytest.mark.quick_in_bucket
@pytest.mark.django_db
def test_an_upload_is_what_its_bytes_say_under_a_name_that_nobody_chose() -> None:
    upload = uploaded_file(alpha_png(), name="../../etc/me\x00\u202e.exe")

    assert upload.content_type == "image/png"
    assert upload.name == "../../etc/me .exe"
    assert upload.file.name.startswith("private/uploads/")
    assert upload.file.name.endswith(f"{upload.token}.png")
    with default_storage.open(str(upload.file.name)) as file:
        assert file.read() == alpha_png()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "asked_for", "sentence"),
    [
        (b"", "either", "The file is empty"),
        (HEIC, "either", "HEIC pictures can't be used"),
        (b"<svg onload=alert(1)>", "either", "Choose a picture"),
        (MP4, "picture", "This is a video. Choose a picture."),
        (alpha_png(), "video", "This is a picture. Choose a video."),
        (b"\xff\xd8\xff" + bytes(1_000_001), "picture", "at most 1 MB"),
    ],
)
def test_what_cant_be_used_is_refused_with_a_sentence_and_leaves_nothing(
    settings: Any, content: bytes, asked_for: str, sentence: str
) -> None:
    settings.MEDIA_MAX_PICTURE_MB = 1

    with pytest.raises(UnusableFileError, match=sentence):
        store_upload(ContentFile(content), name="x", address="192.0.2.1", asked_for=asked_for)

    assert not Upload.objects.exists()
    assert not default_storage.exists("private")


@pytest.mark.django_db
def test_an_address_may_hand_in_so_many_an_hour_and_is_told_when_to_come_again(
    settings: Any,
) -> None:
    settings.MAX_UPLOADS_PER_HOUR = 2
    aged(uploaded_file(), minutes=40)
    uploaded_file()

    with pytest.raises(TooManyUploadsError) as refused:
        uploaded_file()

    assert 15 * 60 < refused.value.retry_after <= 20 * 60
    check_limit("192.0.2.2")
    aged(Upload.objects.latest("created_at"), minutes=61)
    check_limit("192.0.2.1")


def at_once(count: int) -> int:
    """Hand in so many files at the same time; return how many were taken."""

    def hand_in(_number: int) -> bool:
        try:
            uploaded_file()
        except TooManyUploadsError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(count) as pool:
        return sum(pool.map(hand_in, range(count)))


@pytest.mark.django_db(transaction=True)
def test_many_at_once_are_no_more_than_the_limit(settings: Any) -> None:
    settings.MAX_UPLOADS_PER_HOUR = 3

    assert at_once(8) == 3
    assert len(default_storage.listdir(f"private/uploads/{timezone.now():%Y/%m/%d}")[1]) == 3


@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_many_at_once_are_more(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAX_UPLOADS_PER_HOUR = 3
    monkeypatch.setattr(upload_store, "check_limit", lambda address: None)

    assert at_once(8) > 3


@pytest.mark.quick_in_bucket
@pytest.mark.django_db
def test_uploads_that_nobody_ordered_are_pruned_after_a_day_with_their_files() -> None:
    old, new = aged(uploaded_file(), hours=25), uploaded_file()

    assert prune_uploads() == 1

    assert list(Upload.objects.all()) == [new]
    assert not default_storage.exists(str(old.file.name))
    assert default_storage.exists(str(new.file.name))


@pytest.mark.quick_in_bucket
@pytest.mark.django_db
def test_a_file_whose_upload_was_never_written_is_pruned() -> None:
    uploaded_file()
    stray = default_storage.save("private/uploads/2020/01/31/stray.png", ContentFile(b"x"))
    fresh = default_storage.save(
        f"private/uploads/{timezone.now():%Y/%m/%d}/fresh.png", ContentFile(b"x")
    )

    prune_uploads()

    assert not default_storage.exists(stray)
    assert default_storage.exists(fresh)


@pytest.mark.django_db(transaction=True)
def test_what_an_order_is_about_to_take_isnt_pruned() -> None:
    upload = aged(uploaded_file(), hours=25)

    def prune() -> int:
        try:
            return prune_uploads()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Upload.objects.select_for_update().get()
        pruned = pool.submit(prune).result(timeout=60)

    assert pruned == 0
    assert default_storage.exists(str(upload.file.name))
    assert prune_uploads() == 1  # the control: nobody holds it


@pytest.mark.django_db
def test_a_shopper_discards_an_upload() -> None:
    upload = uploaded_file()

    assert discard(upload.token)
    assert not discard(upload.token)
    assert not default_storage.exists(str(upload.file.name))


@pytest.mark.django_db
def test_an_upload_is_for_units_exactly_if_a_line_has_it() -> None:
    upload = uploaded_file()

    with pytest.raises(IntegrityError, match="upload_is_taken_for_some_units"):
        Upload.objects.filter(pk=upload.pk).update(quantity=1)
