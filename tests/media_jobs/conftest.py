"""Media of each test's own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from media_jobs import recipes
from media_jobs.assets import store_asset
from media_jobs.models import MediaJob
from media_jobs.outbox import queue_renditions
from tests.media_jobs.originals import photo, saved


@pytest.fixture(autouse=True)
def media_folder(settings, tmp_path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path / "media"


@pytest.fixture
def read_back(tmp_path) -> Callable[[str], Path]:
    """Fetch a stored file to look at, with the files of its folder beside it as they are stored."""

    def fetch(name: str) -> Path:
        path = tmp_path / "read-back" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with default_storage.open(name) as file:
            path.write_bytes(file.read())
        return path

    return fetch


@pytest.fixture
def pair_job(monkeypatch) -> Callable[[], MediaJob]:
    """Queue a job that makes two small files, by a recipe of the test's own."""
    spec = recipes.RenditionSpec("pair", 60, 60, (recipes.WEBP, recipes.JPEG))
    monkeypatch.setitem(recipes.RECIPES, "pair", recipes.Recipe("pair", (spec,)))

    def queue() -> MediaJob:
        asset = store_asset(ContentFile(saved(photo(90, 90), "JPEG")), name="Photo")
        return queue_renditions(asset, recipe="pair")

    return queue
