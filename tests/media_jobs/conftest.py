"""Media of each test's own: in a folder, and for those who say so in a bucket, too.

`storage` runs a test (or a file of tests) on both. In a bucket it is slow, but for those marked
`quick_in_bucket`.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from tests.media_jobs.buckets import keep_media_in, new_bucket, object_server


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "storage" not in metafunc.fixturenames:
        return
    quick = metafunc.definition.get_closest_marker("quick_in_bucket")
    bucket = pytest.param("bucket", marks=[] if quick else [pytest.mark.slow])
    metafunc.parametrize("storage", ["folder", bucket], indirect=True)


@pytest.fixture(autouse=True)
def media_folder(settings, tmp_path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path / "media"


@pytest.fixture(scope="session")
def bucket_server() -> Iterator[str]:
    with object_server() as server:
        yield server


@pytest.fixture
def storage(request, settings, media_folder) -> str:
    """Keep media in the folder, or in a new bucket."""
    if request.param == "bucket":
        keep_media_in(settings, new_bucket(request.getfixturevalue("bucket_server")))
    return request.param


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
