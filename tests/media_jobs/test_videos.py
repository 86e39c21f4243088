"""Renditions of videos, read back by ffmpeg and Pillow."""

import re
import subprocess
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from PIL import Image, ImageChops

from media_jobs import ffmpeg, videos
from media_jobs.assets import store_asset
from media_jobs.models import MediaJob, Rendition
from media_jobs.outbox import queue_renditions
from media_jobs.recipes import PRODUCT_VIDEO
from media_jobs.tasks import process
from project.jobs.queryset import Status
from tests.media_jobs import films

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]


@dataclass(frozen=True)
class Seen:
    """What ffmpeg says of a file."""

    video: str
    audio: str
    width: int
    height: int
    seconds: float
    said: str


def seen(path: Path) -> Seen:
    said = subprocess.run(
        [ffmpeg.binary(), "-hide_banner", "-i", str(path)], capture_output=True, text=True
    ).stderr
    size = re.search(r"Video: (\w+).*?, (\d+)x(\d+)", said)
    assert size, said
    sound = re.search(r"Audio: (\w+)", said)
    hours, minutes, seconds = re.search(r"Duration: (\d+):(\d+):([\d.]+)", said).groups()
    return Seen(
        video=size[1],
        audio=sound[1] if sound else "",
        width=int(size[2]),
        height=int(size[3]),
        seconds=int(hours) * 3600 + int(minutes) * 60 + float(seconds),
        said=said,
    )


def frame(path: Path, *, at: float) -> Image.Image:
    picture = subprocess.run(
        [
            *(ffmpeg.binary(), "-v", "error", "-ss", str(at), "-i", str(path)),
            *("-frames:v", "1", "-f", "image2pipe", "-c:v", "png", "-"),
        ],
        capture_output=True,
        check=True,
    ).stdout
    return Image.open(BytesIO(picture)).convert("RGB")


def times(path: Path) -> list[float]:
    """When each picture of the video is shown."""
    said = subprocess.run(
        [
            *(ffmpeg.binary(), "-hide_banner", "-i", str(path)),
            *("-an", "-vf", "showinfo", "-fps_mode", "passthrough", "-f", "null", "-"),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    return [float(found) for found in re.findall(r"pts_time:([\d.]+)", said)]


def loudness(path: Path) -> float:
    """The mean volume in dB."""
    said = subprocess.run(
        [
            *(ffmpeg.binary(), "-hide_banner", "-i", str(path)),
            *("-vn", "-af", "volumedetect", "-f", "null", "-"),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    volume = re.search(r"mean_volume: (-?[\d.]+) dB", said)
    assert volume, said
    return float(volume[1])


def size_of(picture: Path) -> tuple[int, int]:
    return Image.open(BytesIO(picture.read_bytes())).size


def video_job(path: Path) -> MediaJob:
    return queue_renditions(store_asset(ContentFile(path.read_bytes()), name=path.name))


@pytest.fixture
def made(read_back):
    """Process a video; return its files by name."""

    def make(path: Path) -> dict[str, Path]:
        job = video_job(path)
        process(str(job.pk))
        return {
            f"{rendition.name}.{rendition.format}": read_back(rendition.file.name)
            for rendition in Rendition.objects.filter(job=job)
        }

    return make


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("films")


@pytest.fixture(scope="session")
def short(folder) -> Path:
    return films.film(folder / "short.mp4")


def test_a_video_becomes_mp4_hls_and_a_poster(made, short):
    files = made(short)

    assert set(files) == {
        *("480p.mp4", "hls-480p.mp4", "hls-480p.m3u8", "hls.m3u8", "poster.webp"),
        *(f"{name}.{kind}" for name in ("card", "card-small") for kind in ("avif", "webp", "jpeg")),
    }
    mp4 = seen(files["480p.mp4"])
    assert (mp4.video, mp4.audio) == ("h264", "aac")
    assert (mp4.width, mp4.height) == (320, 180)  # never enlarged
    assert mp4.seconds == pytest.approx(3, abs=0.2)
    assert "yuv420p" in mp4.said
    assert size_of(files["poster.webp"]) == (320, 180)
    row = Rendition.objects.get(name="480p")
    assert (row.width, row.height, row.size) == (320, 180, files["480p.mp4"].stat().st_size)
    assert row.seconds == pytest.approx(3, abs=0.2)


def test_an_mp4_begins_with_its_index(made, short):
    data = made(short)["480p.mp4"].read_bytes()

    assert 0 < data.index(b"moov") < data.index(b"mdat")


@pytest.mark.quick_in_bucket
def test_the_hls_plays_from_its_first_playlist_on(made, short):
    files = made(short)

    hls = seen(files["hls.m3u8"])

    assert (hls.video, hls.audio, hls.width) == ("h264", "aac", 320)
    assert hls.seconds == pytest.approx(3, abs=0.2)
    stream = files["hls-480p.m3u8"].read_text()
    assert "#EXT-X-MAP" in stream  # fragmented MP4, not MPEG-TS
    assert "#EXT-X-ENDLIST" in stream


def test_the_loudness_is_left_alone(made, short):
    assert loudness(made(short)["480p.mp4"]) == pytest.approx(loudness(short), abs=0.5)


def test_the_watermark_is_on_every_picture_of_the_video_and_on_its_poster(made, short, settings):
    settings.SHOP_NAME = "Tandem"
    files = made(short)

    for shown, plain in (
        (frame(files["480p.mp4"], at=1), frame(short, at=1)),
        (frame(files["480p.mp4"], at=2.5), frame(short, at=2.5)),
    ):
        difference = ImageChops.difference(shown, plain).convert("L")
        corner = difference.crop((160, 120, 320, 180))
        elsewhere = difference.crop((0, 0, 150, 110))
        assert sum(corner.histogram()[64:]) > 60
        assert sum(elsewhere.histogram()[64:]) < sum(corner.histogram()[64:]) / 2


def test_what_is_noted_as_turned_is_upright(made, folder, short):
    files = made(films.turned(folder / "turned.mp4", short))

    mp4 = seen(files["480p.mp4"])
    assert (mp4.width, mp4.height) == (180, 320)
    assert "displaymatrix" not in mp4.said
    assert size_of(files["poster.webp"]) == (180, 320)
    upright = frame(short, at=1).rotate(90, expand=True)
    difference = ImageChops.difference(frame(files["480p.mp4"], at=1), upright).convert("L")
    assert sum(difference.crop((0, 0, 90, 160)).histogram()[64:]) < 300


def test_a_gif_of_one_picture_is_made_as_a_picture(made, folder):
    films.ffmpeg(
        *("-f", "lavfi", "-i", "testsrc=size=160x90:rate=10:duration=0.1", folder / "one.gif")
    )

    files = made(folder / "one.gif")

    assert size_of(files["page.jpeg"]) == (160, 90)


def test_a_silent_video_of_an_odd_size_is_made_silent_and_even(made, folder):
    codec = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv444p")
    odd = films.film(folder / "odd.mp4", size="321x181", sound=False, codec=codec)

    mp4 = seen(made(odd)["480p.mp4"])

    assert (mp4.width, mp4.height, mp4.audio) == (320, 180, "")


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mov", ("-c:v", "mpeg4", "-c:a", "pcm_s16le")),
        ("a.webm", ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus")),
        ("a.mkv", ("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "libmp3lame")),
    ],
)
def test_every_container_that_is_taken_becomes_the_same(made, folder, name, codec):
    original = films.film(folder / name, seconds=1, size="160x90", codec=codec)

    mp4 = seen(made(original)["480p.mp4"])

    assert (mp4.video, mp4.audio, mp4.width) == ("h264", "aac", 160)


@pytest.mark.parametrize("name", ["late.mkv", "late.webm", "late.mp4"])
def test_a_part_of_a_long_recording_is_whole_though_it_begins_late(made, folder, name):
    codec = () if name.endswith("webm") else films.H264
    original = films.film(
        folder / name, seconds=1, size="160x90", codec=(*codec, "-output_ts_offset", "3600")
    )

    mp4 = seen(made(original)["480p.mp4"])

    assert mp4.seconds == pytest.approx(1, abs=0.2)


def test_a_late_part_that_is_cut_short_is_damaged(made, folder):
    codec = (*films.H264, "-output_ts_offset", "3600")
    whole = films.film(folder / "whole.mkv", seconds=4, size="160x90", codec=codec).read_bytes()
    (folder / "cut.mkv").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(Exception, match="damaged"):
        made(folder / "cut.mkv")


def test_a_large_video_is_made_in_both_sizes_and_a_middling_one_is_not_enlarged():
    specs = PRODUCT_VIDEO.videos

    def sizes(width: int, height: int) -> dict[str, tuple[int, int]]:
        video = videos.Video(Path("x"), "mov", width, height, 1.0)
        return {spec.name: size for spec, size in videos.sizes_of(video, specs)}

    assert sizes(1920, 1080) == {"480p": (852, 480), "720p": (1280, 720)}
    assert sizes(1080, 1920) == {"480p": (480, 852), "720p": (720, 1280)}
    assert sizes(1024, 600) == {"480p": (818, 480), "720p": (1024, 600)}
    assert sizes(640, 360) == {"480p": (640, 360)}
    assert sizes(1, 1) == {"480p": (2, 2)}


def test_progress_is_shown_in_per_cent_while_a_video_is_encoded(made, short, monkeypatch):
    shown = []
    set_progress = type(MediaJob.objects).set_progress

    def noted(manager, job, percent):
        shown.append(percent)
        return set_progress(manager, job, percent)

    source = videos.source
    monkeypatch.setattr(type(MediaJob.objects), "set_progress", noted)
    monkeypatch.setattr(ffmpeg, "LOOK_SECONDS", 0.05)
    # Else a fast machine is done before it has told anything.
    paced = ["-readrate", "3"]
    monkeypatch.setattr(
        videos, "source", lambda path, **options: [*paced, *source(path, **options)]
    )

    made(short)

    assert shown == sorted(shown)
    assert len({percent for percent in shown if 5 < percent < 95}) >= 2


def test_a_video_longer_than_the_limit_is_refused_with_the_limit(short, settings):
    settings.MEDIA_MAX_VIDEO_MINUTES = 0
    job = video_job(short)

    with pytest.raises(Exception, match="at most 0 can be used"):
        process(str(job.pk))

    job.refresh_from_db()
    assert job.status == Status.FAILED


def test_encoding_that_takes_too_long_is_stopped_with_that_reason(short, monkeypatch):
    monkeypatch.setattr(videos, "BASE_SECONDS", 0.0)
    monkeypatch.setattr(videos, "SECONDS_A_SECOND", 0.0)
    job = video_job(short)

    with pytest.raises(Exception, match="too complex"):
        process(str(job.pk))

    job.refresh_from_db()
    assert (job.status, job.attempts) == (Status.FAILED, 1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["turned", "silent", "uneven", "large"])
def test_a_video_of_twenty_seconds_keeps_its_length(made, folder, kind):
    long = folder / f"{kind}-20.mp4"
    if kind == "uneven":
        films.uneven(long, seconds=20)
    else:
        size = "1920x1080" if kind == "large" else "320x180"
        films.film(long, seconds=20, size=size, sound=kind != "silent")
    original = films.turned(folder / "t20.mp4", long) if kind == "turned" else long

    files = made(original)

    largest = files.get("720p.mp4", files["480p.mp4"])
    mp4 = seen(largest)
    # Where pictures come unevenly, a header leaves out how long the last ones are shown.
    slack = 1.5 if kind == "uneven" else 0.5
    assert mp4.seconds == pytest.approx(20, abs=slack)
    assert seen(files["hls.m3u8"]).seconds == pytest.approx(20, abs=slack)
    assert max(times(largest)) == max(times(original))
    expected = {"turned": (180, 320), "large": (1280, 720)}.get(kind, (320, 180))
    assert (mp4.width, mp4.height) == expected
    assert bool(mp4.audio) == (kind not in ("silent", "uneven"))


def test_pictures_that_come_unevenly_keep_their_times(made, folder):
    original = films.uneven(folder / "uneven.mp4", seconds=4)

    copied = times(made(original)["480p.mp4"])

    expected = times(original)
    assert len(copied) == len(expected)
    assert copied == pytest.approx(expected, abs=0.02)
