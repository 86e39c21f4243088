"""Files as cameras, drawing programs and enemies make them, by Pillow: other eyes than ours."""

import struct
import zlib
from io import BytesIO

from PIL import Image, ImageDraw

RED, BLUE, GREY = (220, 40, 40), (40, 60, 210), (128, 128, 128)


def photo(width: int = 400, height: int = 300) -> Image.Image:
    """A grey picture with a red upper left and a blue lower right corner."""
    picture = Image.new("RGB", (width, height), GREY)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, width // 4, height // 4), fill=RED)
    draw.rectangle((width * 3 // 4, height * 3 // 4, width, height), fill=BLUE)
    return picture


def saved(picture: Image.Image, file_format: str, **options) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def camera_jpeg(orientation: int, width: int = 400, height: int = 300) -> bytes:
    """A JPEG whose pixels are stored turned, so that `orientation` shows `photo()` upright.

    It carries what a camera notes: its model and a place.
    """
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = photo(width, height)
    if undo is not None:
        stored = stored.transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x0110] = "Camera of a shopkeeper"
    exif.get_ifd(0x8825)[1] = "N"
    return saved(stored, "JPEG", quality=95, exif=exif)


def alpha_png(width: int = 300, height: int = 300) -> bytes:
    """A red disc on nothing."""
    picture = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse((50, 50, width - 50, height - 50), fill=(*RED, 255))
    return saved(picture, "PNG")


def bomb_png(width: int = 20_000, height: int = 20_000) -> bytes:
    """A small file that would fill gigabytes: its header promises what its data hardly begin."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(100_000)))
        + chunk(b"IEND", b"")
    )
