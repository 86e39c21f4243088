"""The pickup pass as it was drawn at first: the benchmark's comparison.

Ground and code are drawn anew, each line of letters is a layer over the whole picture, and the
picture is encoded as PNG and as WebP with the efforts of the catalogue's pictures.
"""

from typing import Any

import pyvips
import segno

from media_jobs.images import encode
from media_jobs.pass_ground import LEFT, QR_SIDE, QR_TOP, RIGHT, RULE, drawn
from media_jobs.pickup_pass import written
from media_jobs.recipes import PNG, WEBP
from media_jobs.watermark import inked


def layered_pass(context: dict[str, Any]) -> list[bytes]:
    """Return the pass' two files."""
    ink, totals_top = written(context)
    ground = drawn()
    ground.paste(RULE, (LEFT, totals_top - 1, RIGHT, totals_top + 1))
    picture = pyvips.Image.new_from_memory(
        ground.tobytes(), ground.width, ground.height, 3, "uchar"
    ).copy(interpretation="srgb")
    letters = [inked([*colour], line.mask) for line, _x, _y, colour in ink.strokes]
    picture = picture.composite(
        letters,
        "over",
        x=[x for _line, x, _y, _colour in ink.strokes],
        y=[y for _line, _x, y, _colour in ink.strokes],
    ).extract_band(0, n=3)
    code = _code(context["status_url"])
    margin = (QR_SIDE - code.width) // 2
    picture = picture.insert(code, RIGHT - QR_SIDE + margin, QR_TOP + margin)
    return [encode(picture, PNG), encode(picture, WEBP)]


def _code(url: str) -> pyvips.Image:
    """Return the code, after a rating of all eight patterns."""
    code = segno.make(url, error="m", micro=False)
    rows = [bytes(0 if dark else 255 for dark in row) for row in code.matrix_iter(border=2)]
    modules = pyvips.Image.new_from_memory(b"".join(rows), len(rows[0]), len(rows), 1, "uchar")
    scale = max(1, QR_SIDE // modules.width)
    large = modules.zoom(scale, scale)
    return large.bandjoin([large, large]).copy(interpretation="srgb")
