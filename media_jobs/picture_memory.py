"""How much memory a picture takes, told by its header before a pixel is decoded.

It depends on the format far more than on the pixels: a baseline JPEG or a WebP shrinks while it
is decoded, so that a photo of 48 megapixels takes no more than one of 12; a progressive JPEG, an
interlaced PNG, a GIF and an AVIF are held whole. docs/media.md has what was measured.
"""

import pyvips
from django.conf import settings

from media_jobs.filetypes import AVIF, GIF, JPEG, PNG, TIFF, WEBP, FileType

ENCODED = 15
"""Bytes that each pixel of the result takes: itself, a copy, and a progressive JPEG's encoder."""


def memory_needed(data: bytes, header: pyvips.Image, filetype: FileType, *, kept: int) -> int:
    """Return the bytes that a picture takes at most, if `kept` pixels of it are kept."""
    pixels = header.width * header.height
    decoder = _held_by_decoder(header, filetype, is_whole=kept >= pixels) * pixels
    return 2 * len(data) + int(max(decoder + 4 * kept, ENCODED * kept))


def memory_limit() -> int:
    """Return the bytes that one picture may take: half of what its process may hold."""
    return settings.WORKER_MEMORY_MB * 1024 * 1024 // 2


def _held_by_decoder(header: pyvips.Image, filetype: FileType, *, is_whole: bool) -> float:
    """Return the bytes of each pixel that the format's decoder holds at once."""
    fields = header.get_fields()
    depth = header.bands * (2 if header.format == "ushort" else 1)
    if filetype == JPEG:
        return 6 if "jpeg-multiscan" in fields and header.get("jpeg-multiscan") else 0
    if filetype == PNG:
        return 1.25 * depth if "interlaced" in fields else 0
    if filetype == TIFF:
        return depth * (2 if header.format == "float" else 1)  # one strip may be all of it
    if filetype == WEBP and not is_whole:
        return 0
    return {WEBP: 5, GIF: 6, AVIF: 15}[filetype]
