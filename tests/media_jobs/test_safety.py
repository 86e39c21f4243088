"""Hostile, damaged and outdated files are refused, or fail with a plain sentence."""

import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from PIL import Image

from media_jobs import ffmpeg
from media_jobs.assets import store_asset
from media_jobs.filetypes import WEBM, UnusableFileError
from media_jobs.models import Asset, MediaJob, Rendition
from media_jobs.outbox import queue_renditions
from media_jobs.tasks import process
from media_jobs.videos import look
from project.jobs.errors import PermanentError
from project.jobs.queryset import Status
from tests.media_jobs import films
from tests.media_jobs.originals import bomb_png, photo, saved
from tests.media_jobs.stored import files_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n%s\n#EXT-X-ENDLIST\n"


@pytest.fixture(scope="session")
def film(tmp_path_factory) -> bytes:
    """A good one, its index at the end."""
    path = films.film(tmp_path_factory.mktemp("film") / "film.mp4", seconds=2, sound=False)
    return path.read_bytes()


def failed(data: bytes) -> MediaJob:
    """Take the file in and process it, which fails; return the job."""
    job = queue_renditions(store_asset(ContentFile(data), name="from a shopkeeper"))
    with pytest.raises(PermanentError):
        process(str(job.pk))
    job.refresh_from_db()
    return job


@pytest.mark.parametrize(
    "data",
    [
        b"",
        SVG,
        b"GIF" + SVG,
        PLAYLIST % b"http://169.254.169.254/latest/meta-data/",
        PLAYLIST % b"/etc/passwd",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"<?xml version='1.0'?><MPD></MPD>",
        b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1",
    ],
)
def test_what_is_neither_picture_nor_video_is_never_taken_in(data):
    with pytest.raises(UnusableFileError):
        store_asset(ContentFile(data), name="film.mp4")

    assert not Asset.objects.exists()
    assert files_of("") == set()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[: len(data) // 2],  # its index was at the end
        films.without_index,
        lambda data: data[:40],
        lambda data: data[:32] + PLAYLIST % b"/etc/passwd",
        lambda data: data[:32] + b"ffconcat version 1.0\nfile /etc/passwd\n",
        lambda data: b"\x1a\x45\xdf\xa3\x93\x42\x82\x84webm" + PLAYLIST % b"/etc/passwd",
    ],
    ids=["cut", "no index", "head only", "playlist inside", "concat inside", "webm inside"],
)
def test_a_bad_video_fails_at_once_in_plain_words_and_leaves_nothing(film, spoil):
    job = failed(spoil(film))

    assert (job.status, job.attempts) == (Status.FAILED, 1)
    assert job.error.startswith("The video is damaged or cut short.")
    assert files_of() == set()


def test_a_video_cut_behind_its_index_is_not_shown_as_if_it_were_whole(tmp_path, film):
    (tmp_path / "film.mp4").write_bytes(film)
    films.ffmpeg(
        *("-i", tmp_path / "film.mp4", "-c", "copy"),
        *("-movflags", "+faststart", tmp_path / "index-first.mp4"),
    )
    data = (tmp_path / "index-first.mp4").read_bytes()

    job = failed(data[: len(data) * 2 // 3])

    assert job.error.startswith("The video is damaged or cut short.")


def test_data_in_other_files_are_never_read(tmp_path, film):
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(film)

    job = failed(films.pointing_elsewhere(film, secret))

    assert job.error.startswith("The video is damaged or cut short.")


def test_control_the_reference_is_one_that_ffmpeg_would_follow(tmp_path, film):
    secret, pointing = tmp_path / "secret.mp4", tmp_path / "media" / "pointing.mp4"
    secret.write_bytes(film)
    pointing.parent.mkdir(exist_ok=True)
    pointing.write_bytes(films.pointing_elsewhere(film, secret))

    films.ffmpeg(
        *("-enable_drefs", "1", "-use_absolute_path", "1", "-f", "mov", "-i", pointing),
        *("-frames:v", "1", "-update", "1", tmp_path / "stolen.png"),
    )

    assert Image.open(BytesIO((tmp_path / "stolen.png").read_bytes())).size == (320, 180)


def test_a_playlist_that_passes_for_a_film_is_not_followed(tmp_path, film):
    (tmp_path / "secret.mp4").write_bytes(film)
    playlist = tmp_path / "film.webm"
    playlist.write_bytes(b"ffconcat version 1.0\nfile secret.mp4\n")

    with pytest.raises(UnusableFileError):
        look(playlist, WEBM, folder=tmp_path, progress=lambda _seconds: None)


def test_control_a_playlist_is_one_that_ffmpeg_would_follow_if_we_let_it_guess(tmp_path, film):
    (tmp_path / "secret.mp4").write_bytes(film)
    playlist = tmp_path / "film.m3u8"
    playlist.write_bytes(b"ffconcat version 1.0\nfile secret.mp4\n")
    open_it = [ffmpeg.binary(), "-v", "error", "-i", playlist, "-f", "null", "-"]

    assert subprocess.run(open_it, capture_output=True).returncode == 0
    forced = ffmpeg.source(playlist, demuxer="mov")
    with pytest.raises(ffmpeg.FfmpegError):
        ffmpeg.run(
            [*forced, "-f", "null", "-"],
            folder=tmp_path,
            seconds=60,
            progress=lambda _seconds: None,
        )


def test_a_sound_file_in_a_videos_clothes_fails_in_plain_words(tmp_path):
    films.ffmpeg("-f", "lavfi", "-i", "sine=duration=1", tmp_path / "sound.mp4")

    job = failed((tmp_path / "sound.mp4").read_bytes())

    assert job.error.startswith("The file has no moving pictures")


def test_a_bomb_is_told_its_size(settings):
    assert "400 megapixels; at most 200 can be used" in failed(bomb_png()).error


def test_an_animation_that_would_fill_the_memory_is_told_its_size(settings):
    settings.MEDIA_MAX_MEGAPIXELS = 1
    frames = [Image.new("P", (900, 900), colour) for colour in range(3)]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])

    assert "3 pictures, together 2 megapixels; at most 2 can be used" in failed(data).error


@pytest.mark.parametrize(
    "data",
    [
        saved(Image.new("RGB", (1, 1)), "PNG"),
        saved(Image.new("CMYK", (60, 60)), "JPEG"),
        saved(Image.new("I;16", (60, 60), 40_000), "PNG"),
        # A picture to us, a page to whoever would guess: served as a picture with nosniff.
        saved(photo(60, 60), "PNG") + b"<html><script>alert(1)</script>",
        saved(photo(60, 60), "JPEG") + SVG,
    ],
    ids=["1x1", "CMYK", "16 bits", "PNG and page", "JPEG and SVG"],
)
def test_an_unusual_picture_is_made_clean(read_back, data):
    job = queue_renditions(store_asset(ContentFile(data), name="unusual"))

    process(str(job.pk))

    files = [
        read_back(path).read_bytes() for path in Rendition.objects.values_list("file", flat=True)
    ]
    assert len(files) == 15
    assert not any(b"script" in content for content in files)


def test_a_worker_goes_on_after_everything_that_it_was_given(film):
    for spoiled in (films.without_index(film), bomb_png(), saved(photo(), "JPEG")[:2000]):
        failed(spoiled)

    job = queue_renditions(store_asset(ContentFile(film), name="good"))
    process(str(job.pk))

    job.refresh_from_db()
    assert job.status == Status.DONE


def test_the_reason_is_told_in_the_workers_language(film, settings):
    settings.MEDIA_MAX_VIDEO_MB = 0
    path = Path("film.mp4")

    with pytest.raises(UnusableFileError, match=r"The video has 0\.\d MB; at most 0 MB"):
        store_asset(ContentFile(film), name=path.name)
