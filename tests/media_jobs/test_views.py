"""/media/: which files it serves to which users, and with which headers."""

import errno

import pytest
from django.contrib.auth.models import Permission
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from media_jobs.assets import store_asset
from orders.models import User
from tests.media_jobs.originals import alpha_png

pytestmark = pytest.mark.django_db


def stored(path: str, content: bytes = b"content") -> str:
    return "/media/" + default_storage.save(path, ContentFile(content))


@pytest.mark.parametrize(
    ("extension", "content_type"),
    [
        ("avif", "image/avif"),
        ("webp", "image/webp"),
        ("jpeg", "image/jpeg"),
        ("png", "image/png"),
        ("mp4", "video/mp4"),
        ("m3u8", "application/vnd.apple.mpegurl"),
    ],
)
def test_a_rendition_is_served_as_what_it_is_and_may_be_kept_for_ever(
    client, extension, content_type
):
    response = client.get(stored(f"renditions/1/abc/card.{extension}"))

    assert b"".join(response.streaming_content) == b"content"
    assert response["Content-Type"] == content_type
    assert response["Content-Disposition"].startswith("inline")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Set-Cookie" not in response


@pytest.mark.parametrize("extension", ["html", "svg", "js", "php", "bin"])
def test_what_is_no_picture_is_only_downloaded(client, extension):
    response = client.get(stored(f"renditions/1/abc/card.{extension}"))
    response.close()

    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    "path",
    [
        "renditions/../../secret.png",
        "renditions/%2e%2e/%2e%2e/secret.png",
        "renditions//etc/passwd",
        "/etc/passwd",
        "renditions/none.png",
        "renditions/1",
        "renditions/a%00b.png",
        "renditions/" + "x" * 5000,
    ],
)
def test_nothing_but_files_of_the_media_folder_is_found(client, media_folder, path):
    stored("renditions/1/abc/card.png")
    (media_folder.parent / "secret.png").write_bytes(b"secret")

    assert client.get("/media/" + path).status_code == 404


@pytest.mark.parametrize(
    ("number", "status"), [(errno.EIO, 503), (errno.ESTALE, 503), (errno.ENOENT, 404)]
)
def test_a_folder_that_cannot_be_read_says_so_instead_of_not_found(monkeypatch, number, status):
    def unreadable(*_args):
        raise OSError(number, "as the test wants")

    url = stored("renditions/1/abc/card.png")
    monkeypatch.setattr(default_storage.__class__, "open", unreadable)

    assert Client(raise_request_exception=False).get(url).status_code == status


def test_an_original_is_for_those_who_may_see_assets_at_the_desk(client):
    asset = store_asset(ContentFile(alpha_png()), name="Disc")

    assert client.get(asset.file.url).status_code == 404
    client.force_login(User.objects.create_user("shopper"))
    assert client.get(asset.file.url).status_code == 404
    operator = User.objects.create_user("operator", is_staff=True)
    client.force_login(operator)
    assert client.get(asset.file.url).status_code == 404
    operator.user_permissions.add(Permission.objects.get(codename="view_asset"))
    response = client.get(asset.file.url)

    assert b"".join(response.streaming_content) == alpha_png()
    assert response["Cache-Control"].startswith("private")
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"


def test_media_is_only_read(client):
    url = stored("renditions/1/abc/card.png")

    assert client.post(url).status_code == 405
    head = client.head(url)
    head.close()
    assert head.status_code == 200


@pytest.mark.parametrize(
    ("asked", "answer", "content_range"),
    [
        ("bytes=0-3", b"cont", "bytes 0-3/7"),
        ("bytes=4-", b"ent", "bytes 4-6/7"),
        ("bytes=-2", b"nt", "bytes 5-6/7"),
        ("bytes=-99", b"content", "bytes 0-6/7"),
        ("bytes=2-99", b"ntent", "bytes 2-6/7"),
    ],
)
def test_a_player_gets_the_bytes_that_it_asks_for(client, asked, answer, content_range):
    response = client.get(stored("renditions/1/abc/480p.mp4"), headers={"range": asked})

    assert response.status_code == 206
    assert b"".join(response.streaming_content) == answer
    assert response["Content-Range"] == content_range
    assert response["Content-Length"] == str(len(answer))
    assert response["Content-Type"] == "video/mp4"
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"range": "bytes=0-1,3-4"},
        {"range": "bytes=3-1"},
        {"range": "bytes=-"},
        {"range": "lines=0-1"},
        {"range": "bytes=0-1", "if-range": '"older"'},
    ],
)
def test_what_is_no_single_range_is_answered_with_the_whole(client, headers):
    response = client.get(stored("renditions/1/abc/480p.mp4"), headers=headers)

    assert response.status_code == 200
    assert b"".join(response.streaming_content) == b"content"
    assert response["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("asked", ["bytes=7-", "bytes=99-100", "bytes=-0"])
def test_a_range_behind_the_end_is_refused_with_the_size(client, asked):
    response = client.get(stored("renditions/1/abc/480p.mp4"), headers={"range": asked})

    assert response.status_code == 416
    assert response["Content-Range"] == "bytes */7"
