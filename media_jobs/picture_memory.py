"""Estimates the memory that a picture needs, from its header, before any pixel is decoded.

The format matters more than the number of pixels: a baseline JPEG and a WebP shrink while they are
decoded, so a photo of 48 megapixels needs no more than one of 12. A progressive JPEG, an interlaced
PNG, a GIF and an AVIF are held whole. docs/media.md has the measurements.
"""

import pyvips
from django.conf import settings

from media_jobs.filetypes import AVIF, GIF, JPEG, PNG, TIFF, WEBP, FileType

ENCODED = 15
"""Bytes for each pixel of the result: the pixel, a copy, and the encoder of a progressive JPEG."""

SAMPLE_BYTES = {"ushort": 2, "short": 2, "uint": 4, "int": 4, "float": 4}
"""Of libvips' formats of samples; others have one."""


def memory_needed(data: bytes, header: pyvips.Image, filetype: FileType, *, kept: int) -> int:
    """Return the most bytes that a picture needs if its result has `kept` pixels."""
    pixels = header.width * header.height
    decoder = _held_by_decoder(header, filetype, is_whole=kept >= pixels) * pixels
    return 2 * len(data) + int(max(decoder + 4 * kept, ENCODED * kept))


def memory_limit() -> int:
    """Return the most bytes that a picture may need: half of the process's limit."""
    return settings.WORKER_MEMORY_MB * 1024 * 1024 // 2


def _held_by_decoder(header: pyvips.Image, filetype: FileType, *, is_whole: bool) -> float:
    """Return the bytes that the format's decoder holds for each pixel."""
    fields = header.get_fields()
    depth = header.bands * SAMPLE_BYTES.get(header.format, 1)
    if filetype == JPEG:
        return 6 if "jpeg-multiscan" in fields and header.get("jpeg-multiscan") else 0
    if filetype == PNG:
        return 1.25 * depth if "interlaced" in fields else 0
    if filetype == TIFF:
        return depth  # one strip may be all of it
    if filetype == WEBP and not is_whole:
        return 0
    return {WEBP: 5, GIF: 6, AVIF: 15}[filetype]
