"""The accepted file types, recognised by a file's first bytes: never by its name.

The web process uses it too, so it never decodes a picture or a video.
"""

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

HEAD_BYTES = 256
"""The bytes of a file that `sniff` needs."""


class UnusableFileError(ValueError):
    """The file can't be used; the message tells the user the reason and a remedy."""


@dataclass(frozen=True)
class FileType:
    content_type: str
    extension: str
    decoder: str
    """The only decoder that may open the file: libvips' loader, or ffmpeg's demuxer."""

    @property
    def is_video(self) -> bool:
        return self.content_type.startswith("video/")


JPEG = FileType("image/jpeg", "jpg", "jpegload_buffer")
PNG = FileType("image/png", "png", "pngload_buffer")
WEBP = FileType("image/webp", "webp", "webpload_buffer")
AVIF = FileType("image/avif", "avif", "heifload_buffer")
GIF = FileType("image/gif", "gif", "gifload_buffer")
TIFF = FileType("image/tiff", "tif", "tiffload_buffer")
MP4 = FileType("video/mp4", "mp4", "mov")
MOV = FileType("video/quicktime", "mov", "mov")
WEBM = FileType("video/webm", "webm", "matroska")
MKV = FileType("video/x-matroska", "mkv", "matroska")

PICTURES = (JPEG, PNG, WEBP, AVIF, GIF, TIFF)
TYPES = (*PICTURES, MP4, MOV, WEBM, MKV)

HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
MP4_BRANDS = (b"isom", b"iso", b"mp4", b"avc1", b"M4V", b"dash", b"MSNV", b"3gp", b"3g2")
"""The first characters of an MP4's brand; sound files and unknown brands aren't among them."""
EBML = b"\x1a\x45\xdf\xa3"


def sniff(head: bytes) -> FileType:
    """Return the type of the file that begins with `head`. Raises UnusableFileError."""
    if not head:
        raise UnusableFileError(_("The file is empty. Choose another one."))
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return WEBP
    if head.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    if head.startswith((b"II*\x00", b"MM\x00*")):
        return TIFF
    known = _boxed(head) or _matroska(head)
    if known is None:
        raise UnusableFileError(
            _(
                "This file can't be used. Choose a picture (JPEG, PNG, WebP, AVIF, GIF, TIFF)"
                " or a video (MP4, MOV, WebM, MKV)."
            )
        )
    return known


def check_size(size: int, filetype: FileType) -> None:
    """Raise UnusableFileError if a file of `size` bytes is too large for its type."""
    if filetype.is_video:
        limit = settings.MEDIA_MAX_VIDEO_MB
        message = _("The video has %(size).1f MB; at most %(limit)d MB can be used.")
    else:
        limit = settings.MEDIA_MAX_PICTURE_MB
        message = _("The picture has %(size).1f MB; at most %(limit)d MB can be used.")
    if size > limit * 1_000_000:
        raise UnusableFileError(message % {"size": size / 1e6, "limit": limit})


def _boxed(head: bytes) -> FileType | None:
    """Return the type of a file of ISO 14496-12 boxes, by its brand."""
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip"):
        return MOV  # older than brands
    if head[4:8] != b"ftyp":
        return None
    brand = head[8:12]
    if brand in (b"avif", b"avis"):
        return AVIF
    if brand in HEIC_BRANDS:
        raise UnusableFileError(
            _("HEIC pictures can't be used here. Export the picture as JPEG and try again.")
        )
    if brand == b"qt  ":
        return MOV
    return MP4 if brand.startswith(MP4_BRANDS) else None


def _matroska(head: bytes) -> FileType | None:
    """Return WebM or Matroska, by the EBML header's DocType."""
    if not head.startswith(EBML):
        return None
    place = head.find(b"\x42\x82")
    if place < 0:
        return None
    length = head[place + 2] & 0x7F if place + 2 < len(head) else 0
    return {b"webm": WEBM, b"matroska": MKV}.get(head[place + 3 : place + 3 + length])
