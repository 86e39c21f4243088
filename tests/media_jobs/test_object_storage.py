"""Media in a bucket: redirects, the headers of its files, and a bucket that is down."""

import urllib.request

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from media_jobs.assets import store_asset
from media_jobs.models import MediaJob
from media_jobs.outbox import queue_renditions
from media_jobs.tasks import process
from orders.models import Upload, User
from project.conf.media_storage import StorageDownError
from project.jobs.errors import TransientError
from project.jobs.queryset import Status
from tests.factories import add_product
from tests.media_jobs.buckets import keep_media_in, new_bucket, object_server
from tests.media_jobs.originals import alpha_png, photo, saved

pytestmark = pytest.mark.django_db


@pytest.fixture
def bucket(bucket_server, settings) -> str:
    """Keep media in a new bucket; return its server's address."""
    keep_media_in(settings, new_bucket(bucket_server))
    return f"http://{bucket_server}/"


def stored(path: str, content: bytes = b"content") -> str:
    return default_storage.url(default_storage.save(path, ContentFile(content)))


def fetched(url: str, **headers: str):
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10)


def test_pages_name_a_rendition_by_an_address_of_ours_that_leads_to_the_bucket(client, bucket):
    url = stored("renditions/1/abc/card.webp")

    response = client.get(url)

    assert url == "/media/renditions/1/abc/card.webp"
    assert response.status_code == 302
    assert response["Location"].startswith(bucket)
    assert response["Cache-Control"] == "public, max-age=1800"
    assert "X-Amz-Expires=3600" in response["Location"]  # moto checks no signature
    file = fetched(response["Location"])
    assert file.read() == b"content"
    assert file.headers["Content-Type"] == "image/webp"
    assert file.headers["Content-Disposition"] == "inline"
    assert "immutable" in file.headers["Cache-Control"]


def test_the_pages_policy_lets_pictures_and_videos_come_from_the_bucket(bucket, settings):
    (origin,) = settings.MEDIA_ORIGINS

    assert default_storage.signed_url("renditions/1/a/b.webp", disposition="inline").startswith(
        f"{origin}/"
    )


def test_an_original_is_for_staff_only_and_only_downloaded(client, bucket):
    url = store_asset(ContentFile(alpha_png()), name="Disc").file.url

    assert client.get(url).status_code == 404
    client.force_login(User.objects.create_superuser("operator"))
    response = client.get(url)

    assert response["Cache-Control"] == "private, no-store"
    file = fetched(response["Location"])
    assert file.read() == alpha_png()
    assert file.headers["Content-Disposition"] == "attachment"


def test_a_playlist_comes_from_the_address_that_its_names_are_relative_to(client, bucket):
    response = client.get(stored("renditions/1/abc/hls.m3u8", b"#EXTM3U\nhls-480p.m3u8\n"))

    assert b"".join(response.streaming_content) == b"#EXTM3U\nhls-480p.m3u8\n"
    assert response["Content-Type"] == "application/vnd.apple.mpegurl"


def test_a_player_gets_a_range_where_it_is_led(client, bucket):
    response = client.get(stored("renditions/1/abc/hls-480p.mp4"))

    part = fetched(response["Location"], Range="bytes=2-4")

    assert (part.status, part.read()) == (206, b"nte")


def test_renditions_of_a_public_bucket_are_named_by_its_own_address(bucket_server, settings):
    url = new_bucket(bucket_server) + "&public=https://media.example.org/shop/"
    keep_media_in(settings, url)

    assert stored("renditions/1/abc/card.webp") == (
        "https://media.example.org/shop/renditions/1/abc/card.webp"
    )
    assert stored("originals/x.png") == "/media/originals/x.png"
    assert (f"http://{bucket_server}", "https://media.example.org") == settings.MEDIA_ORIGINS


def test_what_is_there_is_never_written_over(bucket):
    first = stored("originals/x.png", b"first")
    second = stored("originals/x.png", b"second")

    assert first != second


def test_a_file_that_is_not_there_is_not_found(bucket):
    with pytest.raises(FileNotFoundError):
        default_storage.open("renditions/none.webp")
    with pytest.raises(FileNotFoundError):
        default_storage.size("renditions/none.webp")


@pytest.fixture
def downed(settings) -> None:
    """Keep media in a bucket whose server is gone."""
    with object_server() as gone:
        url = new_bucket(gone)
    keep_media_in(settings, url)


@pytest.mark.usefixtures("downed")
def test_a_file_of_a_bucket_that_is_down_is_not_said_to_be_nowhere():
    answer = Client(raise_request_exception=False).get("/media/renditions/1/abc/hls.m3u8")

    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"


@pytest.mark.usefixtures("downed")
@pytest.mark.parametrize("address", ["/api/v1/uploads", "/products/mug/upload/"])
def test_what_a_shopper_hands_in_while_the_bucket_is_down_may_be_handed_in_again(address):
    add_product("MUG", personalisation="picture")
    file = SimpleUploadedFile("ada.png", alpha_png())

    answer = Client(raise_request_exception=False).post(address, {"file": file})

    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert not Upload.objects.exists()


@pytest.mark.parametrize("when", ["reading", pytest.param("writing", marks=pytest.mark.slow)])
def test_a_bucket_that_is_down_is_tried_again_and_works_once_it_is_back(
    bucket_server, settings, monkeypatch, when
):
    url = new_bucket(bucket_server)
    keep_media_in(settings, url)
    job = queue_renditions(store_asset(ContentFile(saved(photo(), "JPEG")), name="Photo"))
    with object_server() as gone:
        pass  # a port that nobody listens at any more

    def cut(*_args: object) -> tuple[()]:
        keep_media_in(settings, url.replace(bucket_server, gone))
        return ()

    if when == "reading":
        cut()
    else:
        monkeypatch.setattr("media_jobs.processing.animations_of", cut)
    with pytest.raises(TransientError):
        process(str(job.pk))

    job.refresh_from_db()
    assert (job.status, job.attempts) == (Status.QUEUED, 1)
    assert "storage doesn't answer" in job.error

    monkeypatch.undo()
    keep_media_in(settings, url)
    MediaJob.objects.filter(pk=job.pk).update(run_after=job.created_at)
    process(str(job.pk))

    job.refresh_from_db()
    assert job.status == Status.DONE


def test_a_bucket_that_is_not_there_or_not_ours_says_so(bucket_server, settings):
    keep_media_in(settings, f"s3://key:secret@{bucket_server}/nobodys?tls=no")

    with pytest.raises(StorageDownError, match="NoSuchBucket"):
        default_storage.save("originals/x.png", ContentFile(b"x"))
