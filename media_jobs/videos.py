"""Videos: makes a recipe's renditions from an original, by ffmpeg.

Runs in the media worker only. One run of ffmpeg probes the original, one takes the poster's
picture, one decodes once and encodes every size with its watermark; the HLS streams are copies
of these in another container.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyvips
from django.conf import settings
from django.utils.translation import gettext as _

from media_jobs.ffmpeg import FfmpegError, Progress, TooSlowError, run, source
from media_jobs.filetypes import FileType, UnusableFileError
from media_jobs.output import Output
from media_jobs.recipes import Recipe, VideoSpec
from media_jobs.watermark import stamp_for

LOOK_SECONDS = 60.0
"""For probing an original: only its first picture is decoded."""
BASE_SECONDS, SECONDS_A_SECOND = 60.0, 6.0
"""The time limit of encoding: a base, and an addition for each second of video."""
CUT_SHORT = 0.9
"""A file with less than this share of the length in its header is truncated."""
KEY_FRAME_SECONDS = 2
SEGMENT_SECONDS = 4
MAX_RATIO = 8
"""The maximum ratio of the longer side to the shorter one."""


@dataclass(frozen=True)
class Video:
    """A probed original: its upright size in square pixels, and its length."""

    path: Path
    demuxer: str
    width: int
    height: int
    seconds: float

    @property
    def time_limit(self) -> float:
        return BASE_SECONDS + SECONDS_A_SECOND * self.seconds


def look(path: Path, filetype: FileType, *, folder: Path, progress: Progress) -> Video:
    """Probe the original. Raises UnusableFileError with a sentence for the user."""
    original = source(path, demuxer=filetype.decoder)
    first_picture = ["-map", "0:V:0", "-vf", "scale=iw*sar:ih,setsar=1", "-frames:v", "1"]
    # The header's length may be missing or wrong: so all packets are counted.
    everything = ["-map", "0:V:0", "-c", "copy"]
    said, seconds = _run(
        [*original, *first_picture, "-f", "null", "-", *everything, "-f", "null", "-"],
        folder=folder,
        seconds=LOOK_SECONDS,
        progress=progress,
    )
    size = re.search(r"Video: wrapped_avframe.*?, (\d+)x(\d+)", said)
    if size is None or seconds <= 0:
        raise _damaged()
    limit = settings.MEDIA_MAX_VIDEO_MINUTES
    if seconds > 60 * limit:
        message = _("The video is %(minutes).1f minutes long; at most %(limit)d can be used.")
        raise UnusableFileError(message % {"minutes": seconds / 60, "limit": limit})
    if (promised := _promised(said)) and seconds < CUT_SHORT * promised - 0.5:
        raise _damaged()
    width, height = int(size[1]), int(size[2])
    if max(width, height) > MAX_RATIO * min(width, height):
        raise UnusableFileError(_("The video is far longer than wide. Cut it and try again."))
    return Video(path, filetype.decoder, width, height, seconds)


def poster_of(video: Video, *, folder: Path, progress: Progress) -> bytes:
    """Return a representative picture of the video (PNG, upright), from its first tenth on."""
    file = folder / "frame.png"
    _run(
        [
            *("-ss", f"{video.seconds / 10:.3f}"),
            *source(video.path, demuxer=video.demuxer),
            *("-map", "0:V:0", "-vf", "thumbnail=25,scale=iw*sar:ih,setsar=1,format=rgb24"),
            *("-frames:v", "1", "-map_metadata", "-1", "-f", "image2", "-update", "1", file.name),
        ],
        folder=folder,
        seconds=LOOK_SECONDS,
        progress=progress,
    )
    if not file.exists():
        raise _damaged()
    return file.read_bytes()


def encode(video: Video, recipe: Recipe, *, folder: Path, progress: Progress) -> Iterator[Output]:
    """Encode every size of the recipe; yield MP4s and HLS as files in `folder`."""
    sizes = sizes_of(video, recipe.videos)
    _run(
        encoding(video, recipe, folder=folder),
        folder=folder,
        seconds=video.time_limit,
        progress=progress,
    )
    streams = []
    for spec, (width, height) in sizes:
        mp4 = folder / f"{spec.name}.mp4"
        if not mp4.exists() or not mp4.stat().st_size:
            raise _damaged()
        yield Output(spec.name, "mp4", width, height, mp4, video.seconds)
        if not recipe.streams:
            continue
        _run(streaming(spec), folder=folder, seconds=BASE_SECONDS, progress=progress)
        playlist, stream = folder / f"hls-{spec.name}.m3u8", folder / f"hls-{spec.name}.mp4"
        bits = round(stream.stat().st_size * 8 / video.seconds)
        streams.append(
            f"#EXT-X-STREAM-INF:BANDWIDTH={bits},RESOLUTION={width}x{height}\n{playlist.name}\n"
        )
        yield Output(playlist.stem, "m3u8", width, height, playlist, video.seconds)
        yield Output(stream.stem, "mp4", width, height, stream, video.seconds)
    if not streams:
        return
    _spec, (width, height) = sizes[-1]
    # The browser chooses the best stream for its bandwidth.
    master = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n" + "".join(streams)
    yield Output("hls", "m3u8", width, height, master.encode(), video.seconds)


def encoding(video: Video, recipe: Recipe, *, folder: Path) -> list[str]:
    """Return ffmpeg's arguments to encode every size as MP4; writes the watermarks for it."""
    sizes = sizes_of(video, recipe.videos)
    stamps = [_stamp(spec, size, folder) for spec, size in sizes]
    return [
        *source(video.path, demuxer=video.demuxer),
        *(
            argument
            for file, *_place in filter(None, stamps)
            for argument in ("-f", "png_pipe", "-i", file)
        ),
        *("-filter_complex", _graph([size for _spec, size in sizes], stamps)),
        *(
            argument
            for place, (spec, _size) in enumerate(sizes)
            for argument in _output(place, spec)
        ),
    ]


def sizes_of(video: Video, specs: tuple[VideoSpec, ...]) -> list[tuple[VideoSpec, tuple[int, int]]]:
    """Return each size to make, in even numbers, which H.264 requires."""
    sizes: list[tuple[VideoSpec, tuple[int, int]]] = []
    for spec in specs:
        scale = min(1.0, spec.short_side / min(video.width, video.height))
        size = (_even(video.width * scale), _even(video.height * scale))
        before = sizes[-1] if sizes else None
        if before is None or before[1] != size or before[0].watermark != spec.watermark:
            sizes.append((spec, size))
    return sizes


def _even(length: float) -> int:
    return max(2, 2 * int(length / 2 + 0.001))


def _stamp(spec: VideoSpec, size: tuple[int, int], folder: Path) -> tuple[str, int, int] | None:
    """Write the watermark for a video of this size; return its file and its position."""
    stamp = stamp_for(*size, shop_name=settings.SHOP_NAME) if spec.watermark else None
    if stamp is None:
        return None
    picture, left, top = stamp
    file = f"stamp-{spec.name}.png"
    picture.cast("uchar").copy(interpretation=pyvips.Interpretation.SRGB).pngsave(
        str(folder / file), keep="none"
    )
    return file, left, top


def _graph(sizes: list[tuple[int, int]], stamps: list[tuple[str, int, int] | None]) -> str:
    """Return the filters: the pictures once per size, scaled, with the watermark over them."""
    parts = [f"[0:V:0]split={len(sizes)}" + "".join(f"[in{place}]" for place in range(len(sizes)))]
    stamp_input = 0
    for place, ((width, height), stamp) in enumerate(zip(sizes, stamps, strict=True)):
        scaled = f"[in{place}]scale={width}:{height},setsar=1"
        if stamp is None:
            parts.append(f"{scaled},format=yuv420p[out{place}]")
            continue
        stamp_input += 1
        _file, left, top = stamp
        parts.append(f"{scaled}[plain{place}]")
        parts.append(
            f"[plain{place}][{stamp_input}:v]overlay=x={left}:y={top},format=yuv420p[out{place}]"
        )
    return ";".join(parts)


def _output(place: int, spec: VideoSpec) -> list[str]:
    return [
        *("-map", f"[out{place}]", "-map", "0:a:0?", "-map_metadata", "-1", "-map_chapters", "-1"),
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", str(spec.quality)),
        *("-maxrate", f"{spec.kilobits}k", "-bufsize", f"{2 * spec.kilobits}k"),
        *("-force_key_frames", f"expr:gte(t,n_forced*{KEY_FRAME_SECONDS})"),
        # A telephone's frame rate varies: each picture keeps its time.
        *("-fps_mode", "vfr", "-threads", "2"),
        # Mono stays mono: made stereo, it would be quieter.
        *("-af", "aformat=channel_layouts=mono|stereo", "-c:a", "aac", "-b:a", "128k"),
        *("-movflags", "+faststart", "-f", "mp4", f"{spec.name}.mp4"),
    ]


def streaming(spec: VideoSpec) -> list[str]:
    """Return ffmpeg's arguments to copy the MP4 into fragments: one file with a playlist."""
    return [
        *("-f", "mov", "-i", f"{spec.name}.mp4", "-map", "0", "-c", "copy"),
        *("-f", "hls", "-hls_time", str(SEGMENT_SECONDS), "-hls_playlist_type", "vod"),
        *("-hls_segment_type", "fmp4", "-hls_flags", "single_file"),
        *("-hls_segment_filename", f"hls-{spec.name}.mp4", f"hls-{spec.name}.m3u8"),
    ]


def _run(
    arguments: list[str], *, folder: Path, seconds: float, progress: Progress
) -> tuple[str, float]:
    """Run ffmpeg, and turn its errors into sentences for the user."""
    try:
        return run(arguments, folder=folder, seconds=seconds, progress=progress)
    except TooSlowError as error:
        message = _("It took more than %(minutes)d minutes: the video is too complex.")
        raise UnusableFileError(message % {"minutes": seconds // 60}) from error
    except FfmpegError as error:
        said = str(error)
        if "No space left on device" in said:
            raise OSError(28, "No space left on device") from error
        if "matches no streams" in said:
            raise UnusableFileError(
                _("The file has no moving pictures, perhaps only sound. Choose a video.")
            ) from error
        if "Cannot allocate memory" in said:
            raise UnusableFileError(
                _("The video needs more memory than a worker has. Make it smaller and try again.")
            ) from error
        raise _damaged() from error


def _promised(said: str) -> float | None:
    """Return the length in the original's header, in seconds."""
    found = re.search(r"Duration: (\d+):(\d\d):(\d\d\.\d+)", said)
    return int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3]) if found else None


def _damaged() -> UnusableFileError:
    return UnusableFileError(
        _("The video is damaged or cut short. Export it again and upload the new file.")
    )
