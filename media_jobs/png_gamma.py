"""Converts PNGs that tell their colours by gAMA, cHRM and cICP chunks to sRGB, as browsers do.

libvips reads every PNG without a profile as sRGB: a PNG of linear light would be far too dark, and
one of a wider gamut too pale.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import pyvips

from media_jobs.film_colours import PRIMARIES
from media_jobs.primaries import D65, Chromaticity, Matrix, adaptation, inverse, product, to_xyz

SRGB_GAMMA = 0.45455
"""The gamma that encoders write for sRGB, whose curve is not exactly a power."""
NEAR = 0.05
"""A gamma that differs from it by at most this share means sRGB: libpng's PNG_GAMMA_THRESHOLD."""
SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
WIDE = {9: PRIMARIES["bt2020"], 12: PRIMARIES["smpte432"]}
"""The wider primaries by their numbers in a cICP chunk (ITU-T H.273)."""
SRGB_CURVE, RGB = 13, 0
"""Its numbers for the curve and for samples that are RGB."""
SAME = 0.01
"""A matrix whose numbers are all this near to those of none means sRGB's primaries: libpng's
tolerance of chromaticities, about.
"""


@dataclass(frozen=True)
class Colours:
    """The meaning of a PNG's samples."""

    gamma: float | None
    """The exponent; None: sRGB's curve."""
    matrix: Matrix | None
    """From its linear RGB to that of sRGB; None: the same primaries."""


def colours_of(data: bytes) -> Colours | None:
    """Return what the PNG's samples mean; None if they are sRGB's.

    An iCCP, sRGB or cICP chunk has precedence (PNG, third edition, 4.3). Primaries without a gamma
    say nothing to browsers.
    """
    gamma, matrix = 0.0, None
    for name, content in _chunks_before_pixels(data):
        if name == b"cICP":
            return _coded(content)
        if name in (b"iCCP", b"sRGB"):
            return None
        if name == b"gAMA" and len(content) == 4:
            gamma = struct.unpack(">I", content)[0] / 100_000
        if name == b"cHRM" and len(content) == 32:
            matrix = _matrix(content)
    if not gamma:
        return None
    curve = None if abs(gamma / SRGB_GAMMA - 1) <= NEAR else gamma
    return Colours(curve, matrix) if curve or matrix else None


def _coded(chunk: bytes) -> Colours | None:
    """Return what a cICP chunk tells of a wide gamut, as screenshots of telephones have it."""
    primaries, curve, matrix = chunk[:3].ljust(3, b"\xff")
    if primaries not in WIDE or (curve, matrix) != (SRGB_CURVE, RGB):
        return None
    return Colours(None, _to_srgb(D65, *WIDE[primaries]))


def as_srgb(picture: pyvips.Image, colours: Colours) -> pyvips.Image:
    """Return the picture (8 or 16 bits a channel) in sRGB, 8 bits a channel."""
    is_deep = picture.format == "ushort"
    most = 65_535 if is_deep else 255
    light = _light(pyvips.Image.identity(ushort=is_deep) / most, colours.gamma)
    alpha = picture[picture.bands - 1] if picture.hasalpha() else None
    samples = picture if alpha is None else picture[: picture.bands - 1]
    if colours.matrix and samples.bands == 3:
        rows = pyvips.Image.new_from_array([list(row) for row in colours.matrix])
        shown = _srgb(samples.maplut(light).recomb(rows))
    else:  # a grey has no primaries
        shown = samples.maplut(_srgb(light))
    if alpha is not None:
        shown = shown.bandjoin((alpha * (255 / most) + 0.5).cast("uchar"))
    return shown.copy(interpretation="srgb" if samples.bands == 3 else "b-w")


def _light(samples: pyvips.Image, gamma: float | None) -> pyvips.Image:
    if gamma:
        return samples ** (1 / gamma)
    return (samples <= 0.04045).ifthenelse(samples / 12.92, ((samples + 0.055) / 1.055) ** 2.4)


def _srgb(light: pyvips.Image) -> pyvips.Image:
    curve = (light <= 0.0031308).ifthenelse(light * 12.92, light ** (1 / 2.4) * 1.055 - 0.055)
    return (curve * 255 + 0.5).cast("uchar")


def _matrix(chunk: bytes) -> Matrix | None:
    """Return the matrix that a cHRM chunk tells; None if it is sRGB's, or if it tells nonsense."""
    numbers = [number / 100_000 for number in struct.unpack(">8I", chunk)]
    return _to_srgb(*zip(numbers[::2], numbers[1::2], strict=True))


def _to_srgb(
    white: Chromaticity, red: Chromaticity, green: Chromaticity, blue: Chromaticity
) -> Matrix | None:
    """Return the matrix from linear RGB of these primaries to sRGB's; None if they are the same."""
    try:
        seen = product(adaptation(white), to_xyz(red, green, blue, white=white))
        matrix = product(inverse(to_xyz(*SRGB)), seen)
    except ZeroDivisionError:
        return None
    off = [
        abs(value - (row == column))
        for row, values in enumerate(matrix)
        for column, value in enumerate(values)
    ]
    return None if max(off) < SAME else matrix


def _chunks_before_pixels(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 8
    while place + 8 <= len(data):
        length, name = struct.unpack(">I4s", data[place : place + 8])
        if name == b"IDAT":
            return
        yield name, data[place + 8 : place + 8 + length]
        place += 12 + length
