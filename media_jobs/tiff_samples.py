"""Converts TIFFs whose samples libvips doesn't scale: it takes all but 8 and 16 bits for 0 to 255.

Cameras don't write such files, but programs do that draw, render and measure.
"""

import pyvips

GREYS = ("b-w", "grey16", "multiband")
MOST_LIGHT = 10.0
"""Floats that are all below this are light, in which 1 is white; others are 0 to 255."""
WHITES = {
    "uint": (2**8 - 1, 2**16 - 1, 2**32 - 1),
    "int": (2**8 - 1, 2**16 - 1, 2**31 - 1),
    "short": (2**8 - 1, 2**15 - 1),
    "char": (2**7 - 1,),
}
"""libvips' formats of samples, and which one is white: the first that isn't below any sample, since
programs write pictures of 8 or 16 bits in 32, too.
"""


def is_unscaled(header: pyvips.Image) -> bool:
    """Return whether `scaled` must convert the samples."""
    if header.format in WHITES:
        return header.interpretation not in ("lab", "labs")
    return header.format == "float" and header.interpretation in GREYS and header.bands <= 2


def scaled(picture: pyvips.Image, *, most: float) -> pyvips.Image:
    """Return the picture with samples that libvips understands; `most` is its largest one."""
    if picture.format == "float":
        if most >= MOST_LIGHT:
            return picture
        grey = picture[0]
        colours = grey.bandjoin([grey, grey]).copy(interpretation="scrgb").colourspace("srgb")
        if picture.bands == 1:
            return colours
        alpha = (picture[1] * 255 + 0.5).cast("uchar")
        return colours.bandjoin(alpha).copy(interpretation="srgb")
    interpretation = "grey16" if picture.bands <= 2 else "rgb16"
    white = next(white for white in WHITES[picture.format] if most <= white)
    samples = (picture * (65_535 / white)).cast("ushort")
    return samples.copy(interpretation=interpretation)
