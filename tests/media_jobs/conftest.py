"""Media of each test's own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.storage import default_storage


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
