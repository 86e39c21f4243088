"""Which files are taken in, told by their first bytes: never by their name.

Read by the web process too, so nothing here decodes a picture or a video.
"""

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

HEAD_BYTES = 256
"""How much of a file `sniff` needs."""


class UnusableFileError(ValueError):
    """The file can't be used; the message tells a shopkeeper why and what to do."""


@dataclass(frozen=True)
class FileType:
    content_type: str
    extension: str
    decoder: str
    """What must take the file, and nothing else: libvips' loader, or ffmpeg's demuxer."""

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
"""What the brand of an MP4 begins with; sound files and what nobody knows aren't among them."""
NO_FILM_BRANDS = (b"M4A", b"M4B", b"M4P", b"F4A", b"F4B", b"crx")
"""What the major brand of sound and of raw pictures begins with: they say MP4 further on, too."""
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
    """Tell the files that are made of ISO 14496-12 boxes from each other, by their brand."""
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip"):
        return MOV  # from before there were brands
    if head[4:8] != b"ftyp":
        return None
    brand = head[8:12]
    if brand in (b"avif", b"avis"):
        return AVIF
    if brand in HEIC_BRANDS:
        raise UnusableFileError(
            _("HEIC pictures can't be used here. Export the picture as JPEG and try again.")
        )
    return _film(brand, _compatible_brands(head))


def _film(major: bytes, compatible: tuple[bytes, ...]) -> FileType | None:
    """Tell films by their brands: cameras and editors have major brands of their own (XAVC, pana,
    f4v …), and say by the compatible ones which readers will do.
    """
    if major.startswith(NO_FILM_BRANDS):
        return None
    for brand in (major, *compatible):
        if brand == b"qt  ":
            return MOV
        if brand.startswith(MP4_BRANDS):
            return MP4
    return None


def _compatible_brands(head: bytes) -> tuple[bytes, ...]:
    """Return the compatible brands of the file type box that `head` begins with."""
    end = min(int.from_bytes(head[:4]), len(head))
    return tuple(head[place : place + 4] for place in range(16, end - 3, 4))


def _matroska(head: bytes) -> FileType | None:
    """Tell WebM from Matroska by the EBML header's DocType."""
    if not head.startswith(EBML):
        return None
    place = head.find(b"\x42\x82")
    if place < 0:
        return None
    length = head[place + 2] & 0x7F if place + 2 < len(head) else 0
    return {b"webm": WEBM, b"matroska": MKV}.get(head[place + 3 : place + 3 + length])
