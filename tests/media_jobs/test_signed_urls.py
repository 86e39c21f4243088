"""Private files: read by a signed address that ends, and by nothing else."""

from collections.abc import Mapping
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http.response import HttpResponseBase
from django.test import Client

from media_jobs.signed_urls import signed_url
from orders.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]

ORIGINAL = "private/uploads/2026/01/31/original.png"
PREVIEW = "private/renditions/ab/abc/1/2/preview.webp"


@pytest.fixture(autouse=True)
def files(storage: str) -> None:
    for path in (ORIGINAL, PREVIEW, "desk/2026/01/report.csv"):
        default_storage.save(path, ContentFile(b"content"))


def read(answer: HttpResponseBase) -> tuple[bytes, Mapping[str, str]]:
    """Return the file and what is said of it: by us, or by the bucket where the answer leads."""
    if answer.status_code == 200:
        return b"".join(answer.streaming_content), answer.headers
    assert answer.status_code == 302
    assert answer["Cache-Control"] == "private, no-store"
    with urlopen(answer["Location"], timeout=10) as file:
        return file.read(), file.headers


@pytest.mark.quick_in_bucket
def test_a_signed_address_shows_a_private_rendition_as_what_it_is(client: Client) -> None:
    content, headers = read(client.get(signed_url(PREVIEW)))

    assert content == b"content"
    assert headers["Content-Type"] == "image/webp"
    assert headers["Content-Disposition"].startswith("inline")
    assert headers["Cache-Control"].startswith("private")


def test_what_comes_from_us_is_never_guessed_at(client: Client) -> None:
    answer = client.get(signed_url(PREVIEW))
    answer.close()

    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.quick_in_bucket
def test_a_signed_original_is_only_downloaded(client: Client) -> None:
    _content, headers = read(client.get(signed_url(ORIGINAL)))

    assert headers["Content-Disposition"].startswith("attachment")


@pytest.mark.quick_in_bucket
@pytest.mark.parametrize("path", [ORIGINAL, PREVIEW])
def test_an_address_without_its_own_signature_finds_nothing(client: Client, path: str) -> None:
    other = urlsplit(signed_url("private/other.png")).query
    expires = urlsplit(signed_url(path)).query.partition("&")[0]

    client.force_login(User.objects.create_superuser("boss"))

    for query in ("", other, expires, "expires=99999999999&signature=x", "expires=&signature="):
        assert client.get(f"/media/{path}?{query}").status_code == 404


@pytest.mark.quick_in_bucket
def test_an_address_ends_within_two_hours(client: Client) -> None:
    with time_machine.travel("2026-01-31 10:59:00+00:00", tick=False) as clock:
        url = signed_url(PREVIEW)
        assert signed_url(PREVIEW) == url
        clock.shift(3600)
        read(client.get(url))
        clock.shift(3600)
        ended = client.get(url)

    assert ended.status_code == 404


@pytest.mark.quick_in_bucket
@pytest.mark.parametrize(
    "path",
    [
        "desk/2026/01/report.csv",
        "renditions/../desk/2026/01/report.csv",
        "renditions/../" + ORIGINAL,
        "originals/../desk/2026/01/report.csv",
        "./renditions/../private/../" + PREVIEW,
    ],
)
def test_no_detour_leads_to_what_is_not_for_everybody(client: Client, path: str) -> None:
    client.force_login(User.objects.create_superuser("boss"))

    assert client.get("/media/" + path).status_code == 404
