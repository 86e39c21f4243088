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


class UnknownTypeError(UnusableFileError):
    """The file is neither a picture nor a video that is known."""


@dataclass(frozen=True)
class FileType:
    name: str
    """As people call it."""
    content_type: str
    extension: str
    decoder: str
    """The only decoder that may open the file: libvips' loader, or ffmpeg's demuxer."""

    @property
    def is_video(self) -> bool:
        return self.content_type.startswith("video/")


JPEG = FileType("JPEG", "image/jpeg", "jpg", "jpegload_buffer")
PNG = FileType("PNG", "image/png", "png", "pngload_buffer")
WEBP = FileType("WebP", "image/webp", "webp", "webpload_buffer")
AVIF = FileType("AVIF", "image/avif", "avif", "heifload_buffer")
GIF = FileType("GIF", "image/gif", "gif", "gifload_buffer")
TIFF = FileType("TIFF", "image/tiff", "tif", "tiffload_buffer")
MP4 = FileType("MP4", "video/mp4", "mp4", "mov")
MOV = FileType("MOV", "video/quicktime", "mov", "mov")
WEBM = FileType("WebM", "video/webm", "webm", "matroska")
MKV = FileType("MKV", "video/x-matroska", "mkv", "matroska")

PICTURES = (JPEG, PNG, WEBP, AVIF, GIF, TIFF)
VIDEOS = (MP4, MOV, WEBM, MKV)
TYPES = (*PICTURES, *VIDEOS)

AVIF_BRANDS = {b"avif", b"avis"}
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
STILL_BRANDS = {b"mif1", b"msf1", b"mif2", b"miaf"}
"""Of pictures whose codec another brand tells."""
OTHER_BRANDS = (b"M4A", b"M4B", b"M4P", b"F4A", b"F4B", b"aax", b"crx", b"jp2", b"jpx", b"jxl")
"""The first bytes of the major brands of sound files, raw files of cameras and other pictures: they
may be compatible with MP4, but have no video.
"""
MP4_BRANDS = (b"isom", b"iso", b"mp4", b"avc1", b"M4V", b"dash", b"MSNV", b"3gp", b"3g2")
"""The first bytes of the brands of an MP4: its own, or one that it is compatible with."""
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
        message = _(
            "This file can't be used. Choose a picture (%(pictures)s) or a video (%(videos)s)."
        )
        raise UnknownTypeError(
            message % {"pictures": names_of_pictures(), "videos": names_of_videos()}
        )
    return known


def names_of_pictures() -> str:
    """Return what the pictures that are taken in are called, for a sentence."""
    return _names(PICTURES)


def names_of_videos() -> str:
    """Return what the videos that are taken in are called, for a sentence."""
    return _names(VIDEOS)


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


def _names(types: tuple[FileType, ...]) -> str:
    return ", ".join(filetype.name for filetype in types)


def _boxed(head: bytes) -> FileType | None:
    """Tell the files that are made of ISO 14496-12 boxes from each other, by their brands.

    The major brand may be a camera's or a program's own (XAVC, CAEP, pana, niko); what the file is
    then say those that it is compatible with.
    """
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip"):
        return MOV  # older than brands
    if head[4:8] != b"ftyp":
        return None
    major, compatible = _brands(head)
    brands = {major, *compatible}
    if major.startswith(OTHER_BRANDS):
        return None
    if brands & HEIC_BRANDS and major not in AVIF_BRANDS:
        raise UnusableFileError(
            _("HEIC pictures can't be used here. Export the picture as JPEG and try again.")
        )
    if brands & AVIF_BRANDS:
        return AVIF
    if major in STILL_BRANDS:
        raise UnusableFileError(
            _(
                "This kind of picture can't be used here. Export it as an ordinary picture"
                " (%(names)s) and try again."
            )
            % {"names": names_of_pictures()}
        )
    if major == b"qt  ":
        return MOV
    if any(brand.startswith(MP4_BRANDS) for brand in brands):
        return MP4
    return MOV if b"qt  " in brands else None


def _brands(head: bytes) -> tuple[bytes, list[bytes]]:
    """Return the major brand of an `ftyp` box, and those that the file is compatible with."""
    end = min(int.from_bytes(head[:4]), len(head))
    return head[8:12], [head[place : place + 4] for place in range(16, end - 3, 4)]


def _matroska(head: bytes) -> FileType | None:
    """Return WebM or Matroska, by the EBML header's DocType."""
    if not head.startswith(EBML):
        return None
    place = head.find(b"\x42\x82")
    if place < 0:
        return None
    length = head[place + 2] & 0x7F if place + 2 < len(head) else 0
    return {b"webm": WEBM, b"matroska": MKV}.get(head[place + 3 : place + 3 + length])
