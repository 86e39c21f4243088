"""Videos as telephones, screen recorders and enemies make them, by ffmpeg: once a session."""

import math
import random
import struct
import subprocess
from pathlib import Path

from media_jobs.ffmpeg import binary

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


def ffmpeg(*arguments: str | Path) -> None:
    subprocess.run(
        [binary(), "-v", "error", "-y", *map(str, arguments)], check=True, capture_output=True
    )


def film(
    path: Path,
    *,
    seconds: int = 3,
    size: str = "320x180",
    sound: bool = True,
    codec: tuple[str, ...] = H264,
) -> Path:
    """A moving test picture, with a tone."""
    tone = ("-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}") if sound else ()
    picture = f"testsrc=size={size}:rate=10:duration={seconds}"
    ffmpeg("-f", "lavfi", "-i", picture, *tone, *codec, path)
    return path


def turned(path: Path, original: Path, *, degrees: float = 90) -> Path:
    """The same pixels, with a note that they are to be shown turned."""
    ffmpeg("-display_rotation", str(degrees), "-i", original, "-c", "copy", path)
    return path


def uneven(path: Path, *, seconds: int) -> Path:
    """A video whose first half has ten pictures a second, its second half two."""
    half = seconds / 2
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc=size=320x180:rate=10:duration={seconds}"),
        *("-vf", f"select='lt(t,{half})+not(mod(n,5))'", "-fps_mode", "vfr"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", path),
    )
    return path


def without_index(data: bytes) -> bytes:
    """An MP4 whose index was never written, as when the telephone's battery is empty."""
    return data[: data.index(b"moov") - 4]


def damaged_in_the_middle(data: bytes, *, first: float = 0.4, last: float = 0.7) -> bytes:
    """The same length, with noise between these shares of its pictures and sound."""
    start, end = (int(share * len(data)) for share in (first, last))
    return data[:start] + random.Random(1).randbytes(end - start) + data[end:]


def pictures_last(data: bytes) -> bytes:
    """An MP4 with its index first whose pictures lie behind all of the sound."""
    changed = bytearray(data + data[data.index(b"mdat") - 4 :])
    shift = len(changed) - len(data)
    table = data.index(b"stco") + 4  # the pictures' track is the first one
    (count,) = struct.unpack_from(">I", data, table + 4)
    for entry in range(table + 8, table + 8 + 4 * count, 4):
        (offset,) = struct.unpack_from(">I", data, entry)
        struct.pack_into(">I", changed, entry, offset + shift)
    return bytes(changed)


def pointing_elsewhere(data: bytes, target: Path) -> bytes:
    """An MP4 whose pictures lie in another file, says its data reference.

    Its own are zeros. The reference is a Macintosh alias as QuickTime wrote it: the form in
    which ffmpeg knows how to follow one.
    """
    path = str(target).encode()
    path += b"\0" * (len(path) % 2)
    # No folder in common: with one, ffmpeg would only look beside the file itself.
    alias = bytes(10 + 1 + 27 + 12 + 1 + 63 + 16) + struct.pack(">hh", -1, -1) + bytes(16)
    alias += struct.pack(">HH", 2, len(path)) + path + struct.pack(">hH", -1, 0)
    box = struct.pack(">I", len(alias) + 12) + b"alis" + bytes(4) + alias
    place = data.index(b"url \x00\x00\x00\x01") - 4
    changed = bytearray(data[:place] + box + data[place + 12 :])
    for name in (b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        start = data.rindex(name, 0, place) - 4
        (length,) = struct.unpack_from(">I", changed, start)
        struct.pack_into(">I", changed, start, length + len(box) - 12)
    pictures = data.index(b"mdat") + 4  # before the index, which is at the end
    (length,) = struct.unpack_from(">I", data, pictures - 8)
    changed[pictures : pictures + length - 8] = bytes(length - 8)
    return bytes(changed)


# Colours as products have them, greys among them; what HDR and SDR can both show.
COLOURS = (
    *((235, 235, 235), (220, 220, 220), (128, 128, 128), (40, 40, 40)),
    *((190, 40, 50), (60, 130, 70), (50, 70, 160), (205, 170, 130)),
)
STRIPE = 40
"""Pixels that each of them is wide."""
SIZE = (STRIPE * len(COLOURS), 48)


def stripes(
    path: Path,
    *encoding: str,
    filters: str = "null",
    size: tuple[int, int] = SIZE,
    rate: int = 10,
    seconds: float = 0.3,
) -> Path:
    """A still film of `COLOURS`, side by side; `filters` gets it as RGB."""
    frame = path.with_suffix(".rgb")
    frame.write_bytes(b"".join(bytes(colour) * STRIPE for colour in COLOURS) * SIZE[1])
    ffmpeg(
        *("-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", f"{SIZE[0]}x{SIZE[1]}"),
        *("-framerate", str(rate), "-stream_loop", "-1", "-i", frame, "-t", str(seconds)),
        *("-vf", f"scale={size[0]}:{size[1]}:flags=neighbor,format=gbrp,{filters}"),
        *encoding,
        path,
    )
    return path


def hdr(path: Path, *encoding: str, transfer: str, primaries: str = "bt2020") -> Path:
    """The same in HLG or PQ, BT.2020, ten bits: white as bright as paper is in HDR.

    By the formulas of BT.2100, and not by any filter that a bug could be shared with.
    """
    frame = path.with_suffix(".yuv")
    coded = [_in_hdr(colour, transfer) for colour in COLOURS]
    frame.write_bytes(
        b"".join(
            b"".join(struct.pack("<H", colour[plane]) * STRIPE for colour in coded) * SIZE[1]
            for plane in range(3)
        )
    )
    tags = f"colorspace=bt2020nc:range=tv:color_primaries={primaries}:color_trc={transfer}"
    ffmpeg(
        *("-f", "rawvideo", "-pixel_format", "yuv444p10le", "-video_size", f"{SIZE[0]}x{SIZE[1]}"),
        *("-framerate", "10", "-stream_loop", "-1", "-i", frame, "-t", "0.3"),
        *(
            "-vf",
            f"setparams={tags},format=yuv420p10le",
        ),
        *("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:lossless=1"),
        *("-tag:v", "hvc1"),
        *encoding,
        path,
    )
    return path


def _in_hdr(colour: tuple[int, int, int], transfer: str) -> tuple[int, int, int]:
    """Y, Cb and Cr in ten bits, of an SDR display's colour whose white is of 203 cd/m²."""
    red, green, blue = (203 * (value / 255) ** 2.4 for value in colour)
    # BT.2087
    light = (
        0.6274 * red + 0.3293 * green + 0.0433 * blue,
        0.0691 * red + 0.9195 * green + 0.0114 * blue,
        0.0164 * red + 0.0880 * green + 0.8956 * blue,
    )
    luma = (0.2627, 0.6780, 0.0593)
    if transfer == "smpte2084":
        powers = [(value / 10_000) ** (2610 / 16384) for value in light]
        signal = [
            ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)
            for power in powers
        ]
    else:
        brightness = sum(part * value for part, value in zip(luma, light, strict=True)) / 1000
        scene = [value / 1000 * brightness ** (1 / 1.2 - 1) for value in light]
        signal = [
            math.sqrt(3 * value)
            if value <= 1 / 12
            else 0.17883277 * math.log(12 * value - 0.28466892) + 0.55991073
            for value in scene
        ]
    y = sum(part * value for part, value in zip(luma, signal, strict=True))
    return (
        round(64 + 876 * y),
        round(512 + 896 * (signal[2] - y) / 1.8814),
        round(512 + 896 * (signal[0] - y) / 1.4746),
    )
