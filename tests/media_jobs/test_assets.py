"""Originals: stored once, typed by content, named by content."""

import hashlib
import subprocess
import sys

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile

from media_jobs.assets import store_asset
from media_jobs.filetypes import UnusableFileError
from media_jobs.models import Asset
from tests.media_jobs.originals import alpha_png, photo, saved
from tests.media_jobs.stored import files_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]


def test_an_asset_knows_its_content_and_keeps_it_unchanged():
    data = saved(photo(), "JPEG")

    asset = store_asset(ContentFile(data), name="A photo")

    assert (asset.name, asset.content_type, asset.size) == ("A photo", "image/jpeg", len(data))
    assert asset.sha256 == hashlib.sha256(data).hexdigest()
    with asset.file.open("rb") as stored:
        assert stored.read() == data


def test_the_same_content_is_stored_once_whatever_it_is_called():
    first = store_asset(ContentFile(alpha_png()), name="Disc")
    second = store_asset(SimpleUploadedFile("copy.gif", alpha_png()), name="Copy")

    assert second == first
    assert Asset.objects.count() == 1
    assert len(files_of("originals")) == 1


@pytest.mark.quick_in_bucket
def test_two_that_store_the_same_file_at_once_end_with_one_asset_and_one_file(monkeypatch):
    rival = store_asset(ContentFile(alpha_png()), name="Faster")
    # The rival's row wasn't there yet when we looked.
    monkeypatch.setattr("media_jobs.assets.Asset.objects.filter", lambda **_: Asset.objects.none())

    asset = store_asset(ContentFile(alpha_png()), name="Slower")

    assert asset == rival
    assert len(files_of("originals")) == 1


def test_the_name_decides_neither_type_nor_path():
    upload = SimpleUploadedFile("../../evil.php", alpha_png(), content_type="text/html")

    asset = store_asset(upload, name=str(upload.name))

    assert asset.content_type == "image/png"
    assert asset.file.name.startswith("originals/")
    assert asset.file.name.endswith(".png")


def test_a_text_renamed_to_jpg_is_refused_and_leaves_nothing():
    upload = SimpleUploadedFile("photo.jpg", b"not a photo at all", content_type="image/jpeg")

    with pytest.raises(UnusableFileError):
        store_asset(upload, name="photo.jpg")

    assert not Asset.objects.exists()
    assert files_of("") == set()


def test_a_file_over_the_limit_is_refused_and_leaves_nothing():
    upload = ContentFile(b"\x89PNG\r\n\x1a\n" + bytes(25_000_000))

    with pytest.raises(UnusableFileError, match="at most 25 MB"):
        store_asset(upload, name="huge.png")

    assert not Asset.objects.exists()
    assert files_of("") == set()


def test_taking_in_a_file_loads_no_decoder():
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import django; django.setup()\n"
            "import media_jobs.assets, media_jobs.outbox, media_jobs.tasks, media_jobs.views\n"
            "import media_jobs.templatetags.picture, orders.catalogue.products, sys\n"
            "print(sorted({'pyvips', 'PIL', 'segno'} & set(sys.modules)))",
        ],
        capture_output=True,
        text=True,
        check=True,
        env=_environment(),
    )

    assert loaded.stdout.strip() == "[]"


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "DJANGO_SETTINGS_MODULE": "project.settings"}
