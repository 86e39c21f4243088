"""Converts PNGs with a gAMA chunk to sRGB, as browsers do.

libvips reads every PNG without a profile as sRGB: a PNG of linear light would be far too dark.
"""

import struct
from collections.abc import Iterator

import pyvips

SRGB_GAMMA = 0.45455
"""The gamma that encoders write for sRGB, whose curve is not exactly a power."""
NEAR = 0.05
"""A gamma that differs from it by at most this share means sRGB: libpng's PNG_GAMMA_THRESHOLD."""


def gamma_of(data: bytes) -> float | None:
    """Return the exponent of the PNG's samples; None if they are sRGB's.

    An iCCP, sRGB or cICP chunk has precedence (PNG, third edition, 4.3).
    """
    gamma = None
    for name, content in _chunks_before_pixels(data):
        if name in (b"iCCP", b"sRGB", b"cICP"):
            return None
        if name == b"gAMA" and len(content) == 4:
            gamma = struct.unpack(">I", content)[0] / 100_000
    if not gamma or abs(gamma / SRGB_GAMMA - 1) <= NEAR:
        return None
    return float(gamma)


def as_srgb(picture: pyvips.Image, *, gamma: float) -> pyvips.Image:
    """Return the picture (8 or 16 bits a channel) with its samples in sRGB's curve."""
    is_deep = picture.format == "ushort"
    most = 65_535 if is_deep else 255
    light = (pyvips.Image.identity(ushort=is_deep) / most) ** (1 / gamma)
    curve = (light <= 0.0031308).ifthenelse(light * 12.92, light ** (1 / 2.4) * 1.055 - 0.055)
    table = (curve * most + 0.5).cast(picture.format)
    if not picture.hasalpha():
        return picture.maplut(table).copy(interpretation=picture.interpretation)
    colours, alpha = picture[: picture.bands - 1], picture[picture.bands - 1]
    return colours.maplut(table).bandjoin(alpha).copy(interpretation=picture.interpretation)


def _chunks_before_pixels(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 8
    while place + 8 <= len(data):
        length, name = struct.unpack(">I4s", data[place : place + 8])
        if name == b"IDAT":
            return
        yield name, data[place + 8 : place + 8 + length]
        place += 12 + length
