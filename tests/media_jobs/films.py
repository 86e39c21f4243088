"""Videos as telephones, screen recorders and enemies make them, by ffmpeg: once a session."""

import struct
import subprocess
from pathlib import Path

from media_jobs.ffmpeg import binary


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
    codec: tuple[str, ...] = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
) -> Path:
    """A moving test picture, with a tone."""
    tone = ("-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}") if sound else ()
    picture = f"testsrc=size={size}:rate=10:duration={seconds}"
    ffmpeg("-f", "lavfi", "-i", picture, *tone, *codec, path)
    return path


def turned(path: Path, original: Path, *, degrees: int = 90) -> Path:
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
