"""Videos: makes a recipe's renditions from an original, by ffmpeg.

Runs in the media worker only. One run of ffmpeg probes the original, one takes the poster's
picture, one decodes once and encodes every size in the normal form and with its watermark; the
HLS streams are copies of these in another container.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyvips
from django.conf import settings
from django.utils.translation import gettext as _

from media_jobs import normal_form, packet_list
from media_jobs.ffmpeg import FfmpegError, Progress, TooSlowError, run, source
from media_jobs.filetypes import MKV, WEBM, FileType, UnusableFileError
from media_jobs.normal_form import Pixels
from media_jobs.output import Output
from media_jobs.recipes import Recipe, VideoSpec
from media_jobs.watermark import stamp_for

LOOK_SECONDS = 60.0
"""For probing an original: only its first picture is decoded; and for the poster."""
BASE_SECONDS, SECONDS_A_SECOND = 60.0, 6.0
"""The time limit of encoding: a base, and an addition for each second of video."""
WHOLE = 0.9
"""A film is damaged if less than this share of it is there: of the length in its header, and of its
pictures and its sound. Players show what is left, and hold a picture where others are lost.
"""
ANY_ERRORS = ["-max_error_rate", "1"]
"""ffmpeg's arguments where one picture is enough: others before it may be lost."""
TURN_TOLERANCE = 1.0
"""Degrees beside a quarter turn that ffmpeg takes for one; it cuts off corners for others."""
TRIED = 0.5
"""The share of that time for decoding alone: what takes longer couldn't be encoded in all of it."""
KEY_FRAME_SECONDS = 2
SEGMENT_SECONDS = 4
MAX_RATIO = 8
"""The maximum ratio of the longer side to the shorter one."""
HELD_SECONDS = 0.5
"""Sound that goes on for more than this holds the last picture: HLS ends with the pictures."""
SHORTEST = 0.04
"""Seconds of a film that tells no length, as one of a single picture may."""
POSTER_SIDE = 1280
"""Pixels of the poster's shorter side at most."""
PACKETS_FILE, PACKETS_BYTES = "packets.txt", 64_000_000
"""The list of an original's packets, about 60 bytes each: enough for hours of real film."""
ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""ffmpeg's own decoders of these leave out what one can look through."""


@dataclass(frozen=True)
class Video:
    """A probed original: its upright size in square pixels, and its length."""

    path: Path
    demuxer: str
    width: int
    height: int
    seconds: float
    """Of pictures or sound, whatever is longer."""
    hold: float = 0.0
    """How much longer the sound is."""
    pixels: Pixels = normal_form.PLAIN
    decoder: str = ""
    """ffmpeg's name of it, if it isn't the usual one."""
    turn: float | None = None
    """Degrees against the clock, if it isn't what the file says."""

    @property
    def time_limit(self) -> float:
        return BASE_SECONDS + SECONDS_A_SECOND * self.seconds

    @property
    def source(self) -> list[str]:
        return source(self.path, demuxer=self.demuxer, decoder=self.decoder, turn=self.turn)


def look(path: Path, filetype: FileType, *, folder: Path, progress: Progress) -> Video:
    """Probe the original. Raises UnusableFileError with a sentence for the user."""
    turn = None
    said = _probed(path, filetype, turn, folder=folder, progress=progress)
    odd = _odd_turn(said)
    if odd is not None:
        turn = 90 * round(odd / 90)
        said = _probed(path, filetype, turn, folder=folder, progress=progress)
    width, height, film, decoder = _first_picture(said)
    packets = packet_list.read(folder / PACKETS_FILE)
    if not packets.has_pictures:
        raise _damaged()
    shown, sounded = packets.ends.get("video", 0.0), packets.ends.get("audio", 0.0)
    seconds = max(shown, sounded, SHORTEST)
    limit = settings.MEDIA_MAX_VIDEO_MINUTES
    if seconds > 60 * limit:
        message = _("The video is %(minutes).1f minutes long; at most %(limit)d can be used.")
        raise UnusableFileError(message % {"minutes": seconds / 60, "limit": limit})
    enough = WHOLE * (_length_in_header(said, filetype) or 0.0) - 0.5
    # The sound may be whole while the pictures are cut: then ffmpeg says that the file ends.
    ends_early = re.search(r"partial file|File ended prematurely", said) is not None
    if max(packets.ends.values()) < enough or (shown < enough and ends_early):
        raise _damaged()
    # ffmpeg passes over a broken part of a Matroska without a word. A long still picture has a
    # gap too, but all of the file's bytes.
    has_gap = packets.longest_gap > (1 - WHOLE) * shown + 0.5
    if filetype in (MKV, WEBM) and has_gap and packets.size < WHOLE * path.stat().st_size:
        raise _damaged()
    if max(width, height) > MAX_RATIO * min(width, height):
        raise UnusableFileError(_("The video is far longer than wide. Cut it and try again."))
    hold = seconds - shown if sounded > shown + HELD_SECONDS else 0.0
    return Video(path, filetype.decoder, width, height, seconds, hold, film, decoder, turn)


def _probed(
    path: Path, filetype: FileType, turn: float | None, *, folder: Path, progress: Progress
) -> str:
    """Decode the first picture and list all packets; return what ffmpeg says."""
    first_picture = ["-map", "0:V:0", "-map_metadata", "-1", "-frames:v", "1", "-f", "null", "-"]
    # The length that a header tells may be missing or wrong: so all packets are listed. What is
    # no picture and no sound counts for the length in the header.
    packets = ["-map", "0:V:0", "-map", "0:a?", "-map", "0:s?", "-c", "copy"]
    packets += ["-f", "framecrc", "-fs", str(PACKETS_BYTES), PACKETS_FILE]
    said, _seconds = _run(
        [*ANY_ERRORS, *source(path, demuxer=filetype.decoder, turn=turn), *first_picture, *packets],
        folder=folder,
        seconds=LOOK_SECONDS,
        progress=progress,
    )
    return said


def poster_of(video: Video, *, folder: Path, progress: Progress) -> bytes:
    """Return a representative picture (PNG, upright, sRGB), from the video's first tenth on."""
    file = folder / "frame.png"
    normal_form.write_table(video.pixels, folder)
    scale = min(1.0, POSTER_SIDE / min(video.width, video.height))
    size = (max(1, round(video.width * scale)), max(1, round(video.height * scale)))
    filters = [
        *normal_form.whole(video.pixels),
        *normal_form.still(video.pixels, *size),
        "thumbnail=25",
    ]
    # A film of one picture has none from there on.
    for start in ((video.seconds - video.hold) / 10, 0.0):
        _run(
            [
                *(*ANY_ERRORS, "-ss", f"{start:.3f}", *video.source),
                *("-map", "0:V:0", "-vf", ",".join(filters), "-frames:v", "1"),
                *("-map_metadata", "-1", "-f", "image2", "-update", "1", file.name),
            ],
            folder=folder,
            seconds=LOOK_SECONDS,
            progress=progress,
        )
        if file.exists():
            return file.read_bytes()
    raise _damaged()


def try_all(video: Video, *, folder: Path, progress: Progress) -> None:
    """Decode all of the video and make nothing. What is damaged here is damaged to `encode`, too.

    Takes a fifth of the time of encoding, or less. Raises UnusableFileError.
    """
    _run(
        [
            *_source_of_all(video),
            *("-map", "0:V:0", "-map", "0:a:0?", "-vf", ",".join(normal_form.rough(video.pixels))),
            *("-fps_mode", "vfr", "-f", "null", "-"),
        ],
        folder=folder,
        seconds=max(LOOK_SECONDS, video.time_limit * TRIED),
        progress=progress,
    )


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
    """Return ffmpeg's arguments to encode every size as MP4.

    Writes into `folder` what that needs: the watermarks, and a table of colours.
    """
    normal_form.write_table(video.pixels, folder)
    sizes = sizes_of(video, recipe.videos)
    stamps = [_stamp(spec, size, folder) for spec, size in sizes]
    return [
        *_source_of_all(video),
        *(
            argument
            for file, *_place in filter(None, stamps)
            for argument in ("-f", "png_pipe", "-i", file)
        ),
        *("-filter_complex", _graph(video, [size for _spec, size in sizes], stamps)),
        *(
            argument
            for place, (spec, _size) in enumerate(sizes)
            for argument in _output(place, spec)
        ),
    ]


def _source_of_all(video: Video) -> list[str]:
    """Return the arguments that open a film to decode all of it: ffmpeg fails if too much of its
    pictures or of its sound can't be.
    """
    return ["-max_error_rate", f"{1 - WHOLE:.2f}", *video.source]


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


def _graph(
    video: Video, sizes: list[tuple[int, int]], stamps: list[tuple[str, int, int] | None]
) -> str:
    """Return the filters: the largest size in the normal form, and the others and the watermarks
    from that, since an original may be in 4K and HDR.
    """
    largest = [
        *normal_form.whole(video.pixels, hold=video.hold),
        *normal_form.sized(video.pixels, *sizes[-1]),
    ]
    copies = "".join(f"[in{place}]" for place in range(len(sizes)))
    parts = [f"[0:V:0]{','.join(largest)},split={len(sizes)}{copies}"]
    stamp_input = 0
    for place, (size, stamp) in enumerate(zip(sizes, stamps, strict=True)):
        sized = f"[in{place}]" + ",".join(normal_form.sized(normal_form.PLAIN, *size))
        if stamp is None:
            parts.append(f"{sized}[out{place}]")
            continue
        stamp_input += 1
        _file, left, top = stamp
        parts.append(f"{sized}[plain{place}]")
        parts.append(
            f"[plain{place}][{stamp_input}:v]overlay=x={left}:y={top},"
            f"format=yuv420p,{normal_form.TAGGED}[out{place}]"
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
        # The decoder of AV1 says so of broken data, too.
        if "Cannot allocate memory" in said and "Invalid data found" not in said:
            raise UnusableFileError(
                _("The video needs more memory than a worker has. Make it smaller and try again.")
            ) from error
        if "no decoder found" in said:
            raise UnusableFileError(
                _(
                    "The video's pictures or its sound are of a kind that can't be read here."
                    " Export it as MP4 (H.264 and AAC) and try again."
                )
            ) from error
        raise _damaged() from error


def _first_picture(said: str) -> tuple[int, int, Pixels, str]:
    """Return the upright size in square pixels, what the pixels mean, and the decoder they need."""
    original, _heading, outputs = said.partition("\nOutput #0, ")
    shown = re.search(
        r"Video: wrapped_avframe, (\w+)(?:\((.*?)\))?, (\d+)x(\d+)(?: \[SAR (\d+):(\d+))?", outputs
    )
    mapped = re.search(r"^ +Stream #0:(\d+) -> #0:0 \((\w+)", said, re.MULTILINE)
    coded = mapped and re.search(
        rf"^ +Stream #0:{mapped[1]}\b.*?: Video: .*?, \d+x(\d+)", original, re.MULTILINE
    )
    if shown is None or mapped is None or coded is None:
        raise _damaged()
    layout, tags, width, height, wide, high = shown.groups()
    decoder = ""
    if re.search(r"^ +alpha_mode +: 1$", original, re.MULTILINE | re.IGNORECASE):
        decoder = ALPHA_DECODERS.get(mapped[2], "")
    film = normal_form.pixels(
        "yuva420p" if decoder else layout,
        tags or "",
        lines=int(coded[1]),
        may_have_fields=min(int(width), int(height)) >= normal_form.SMALLEST_WITH_FIELDS,
    )
    square = round(int(width) * int(wide or 1) / int(high or 1))
    return max(1, square), int(height), film, decoder


def _odd_turn(said: str) -> float | None:
    """Return the degrees by which the pictures are to be turned, if they are no quarter turns.

    Players turn by quarters only.
    """
    mapped = re.search(r"^ +Stream #0:(\d+) -> #0:0 \(", said, re.MULTILINE)
    stream = mapped and re.search(
        rf"^ +Stream #0:{mapped[1]}\b.*?(?=^ +Stream|^Stream mapping)",
        said,
        re.DOTALL | re.MULTILINE,
    )
    found = stream and re.search(
        r"(?m)^ +Display Matrix: rotation of (-?[\d.]+) degrees", stream[0]
    )
    if not found:
        return None
    degrees = float(found[1])
    return degrees if abs(degrees - 90 * round(degrees / 90)) >= TURN_TOLERANCE else None


def _length_in_header(said: str, filetype: FileType) -> float | None:
    """Return the length in the original's header, in seconds.

    Many writers of Matroska put the last picture's time there: a part of a longer recording begins
    at its own time in it, which ffmpeg subtracts from all others.
    """
    found = re.search(r"Duration: (\d+):(\d\d):(\d\d\.\d+)(?:, start: (-?\d+\.\d+))?", said)
    if found is None:
        return None
    length = int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3])
    start = float(found[4] or 0) if filetype in (MKV, WEBM) else 0.0
    return length - start if 0 < start < length else length


def _damaged() -> UnusableFileError:
    return UnusableFileError(
        _("The video is damaged or cut short. Export it again and upload the new file.")
    )
