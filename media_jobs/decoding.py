"""Decodes an original into one picture in memory: upright, in sRGB, 8 bits a channel.

A picture that would need too much memory is refused by its header, before any pixel is decoded.
"""

from dataclasses import dataclass
from math import ceil

import pyvips
from django.conf import settings
from django.utils.translation import gettext as _

from media_jobs import camera_raw, jpeg_tail, lab_tiff, png_gamma, tiff_samples
from media_jobs.filetypes import (
    AVIF,
    HEAD_BYTES,
    JPEG,
    PNG,
    TIFF,
    FileType,
    UnusableFileError,
    check_size,
    names_of_pictures,
    sniff,
)
from media_jobs.gain_map import decoded_gain_map
from media_jobs.picture_memory import memory_limit, memory_needed
from media_jobs.recipes import RenditionSpec

STILL_FACTOR = 5
"""A still picture may have so many times `MEDIA_MAX_MEGAPIXELS`, as long as its memory is bounded:
the sensors of telephones have 200 megapixels.
"""
ULTRA_HDR_LOADER = "uhdrload_buffer"
"""libvips' name of the loader of a JPEG with a gain map."""
PROFILES = {"input_profile": "srgb", "output_profile": "srgb"}
"""libvips' arguments: a file without a profile is read as sRGB, and every file becomes sRGB."""
ABSOLUTE = ("lab", "labs", "labq", "lch", "xyz", "yxy", "scrgb")
"""libvips' interpretations whose values need no profile."""
UNSUPPORTED = (
    *("unsupported", "not supported", "not in a known format", "not implemented"),
    *("samples out of range", "not configured"),  # a TIFF's number of bits, and its compression
)
"""Parts of libvips' errors for a whole file whose variant it can't read."""


@dataclass(frozen=True)
class Original:
    """A picture whose header was read, and nothing more."""

    data: bytes
    filetype: FileType
    header: pyvips.Image
    is_lab: bool = False
    """The file is a TIFF whose samples `lab_tiff` must convert."""

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height, once it is turned by the camera's orientation."""
        fields = self.header.get_fields()
        turned = "orientation" in fields and self.header.get("orientation") >= 5
        size = (self.header.width, self.header.height)
        return size[::-1] if turned else size


def opened(data: bytes) -> Original:
    """Read the original's header. Raises UnusableFileError if the file is too large, or if its type
    is not accepted, or if libvips takes it for another type.
    """
    filetype = sniff(data[:HEAD_BYTES])
    check_size(len(data), filetype)
    if filetype == AVIF:
        # libvips reads the major brand only, and doesn't know the one of animations. The still
        # picture of an animation is stored as that of any AVIF.
        data = data[:8] + b"avif" + data[12:]
    if filetype == TIFF and camera_raw.is_raw(data):
        raise UnusableFileError(
            _("Raw pictures of cameras can't be used here. Export the picture as JPEG.")
        )
    as_rgb = lab_tiff.as_rgb(data) if filetype == TIFF else None
    data = as_rgb or data
    try:
        header = pyvips.Image.new_from_buffer(data, "", access="sequential")
        loader = header.get("vips-loader")
        if filetype == JPEG and loader == ULTRA_HDR_LOADER:
            header = pyvips.Image.jpegload_buffer(data, access="sequential")
            loader = filetype.decoder
    except pyvips.Error as error:
        raise unreadable(error, filetype) from error
    if loader != filetype.decoder:
        raise _damaged()
    limit = settings.MEDIA_MAX_MEGAPIXELS * STILL_FACTOR
    if header.width * header.height > limit * 1_000_000:
        message = _(
            "The picture has %(width)d × %(height)d pixels, that is %(pixels)d megapixels;"
            " at most %(limit)d can be used. Make it smaller and try again."
        )
        raise UnusableFileError(message % {**_size(header), "limit": limit})
    return Original(data, filetype, header, is_lab=as_rgb is not None)


def decoded(original: Original, specs: tuple[RenditionSpec, ...]) -> pyvips.Image:
    """Return the original as pixels in memory, as large as the largest of the specs needs it.

    An Ultra HDR photo has its gain map. Raises UnusableFileError.
    """
    width, height = _size_for(original, specs)
    _check_memory(original, kept=width * height)
    strictness = "warning" if original.filetype == JPEG else "error"
    try:
        try:
            picture = _pixels(original, width, height, strictness=strictness)
        except pyvips.Error:
            # libjpeg gives the same warnings for a hole and for bytes that browsers ignore.
            if original.filetype != JPEG or not jpeg_tail.is_nearly_whole(original.data):
                raise
            picture = _pixels(original, width, height, strictness="none")
    except pyvips.Error as error:
        raise unreadable(error, original.filetype) from error
    return decoded_gain_map(picture)


def unreadable(error: pyvips.Error, filetype: FileType) -> UnusableFileError:
    """Return the error for the user that fits libvips' error. Raises MemoryError if memory was the
    reason: the file may be good.
    """
    says = str(error).lower()
    if "out of memory" in says:
        raise MemoryError from error
    if any(words in says for words in UNSUPPORTED):
        message = _(
            "The picture is of a kind of %(name)s that can't be read here. Export it as an"
            " ordinary picture (%(names)s) and try again."
        )
        return UnusableFileError(message % {"name": filetype.name, "names": names_of_pictures()})
    return _damaged()


def _damaged() -> UnusableFileError:
    return UnusableFileError(
        _("The picture is damaged or cut short. Export it again and upload the new file.")
    )


def _size_for(original: Original, specs: tuple[RenditionSpec, ...]) -> tuple[int, int]:
    """Return the smallest size from which every spec can be made in its full size.

    `cover` needs more pixels than `inside`: a card is cut out of the middle of a panorama.
    """
    width, height = original.upright_size
    scale = 0.0
    for spec in specs:
        across, down = spec.width / width, spec.height / height
        scale = max(scale, max(across, down) if spec.fit == "cover" else min(across, down))
    scale = min(1.0, scale)
    # Rounded up: a side that is rounded down would make the other side smaller, too.
    return max(1, ceil(width * scale - 1e-6)), max(1, ceil(height * scale - 1e-6))


def _check_memory(original: Original, *, kept: int) -> None:
    header, filetype = original.header, original.filetype
    if memory_needed(original.data, header, filetype, kept=kept) > memory_limit():
        message = _(
            "The picture has %(width)d × %(height)d pixels, that is %(pixels)d megapixels: too"
            " many for a file of its kind (%(name)s). Make it smaller and try again."
        )
        raise UnusableFileError(message % {**_size(header), "name": filetype.name})


def _size(header: pyvips.Image) -> dict[str, int]:
    return {
        "width": header.width,
        "height": header.height,
        "pixels": header.width * header.height // 1_000_000,
    }


def _pixels(original: Original, width: int, height: int, *, strictness: str) -> pyvips.Image:
    """Return the original in memory: a damaged file fails here, not half-way through a rendition.

    `strictness` is what libvips calls `fail_on`. Raises pyvips.Error.
    """
    picture = _shrunk(original, width, height, strictness)
    return picture.colourspace("srgb").cast("uchar").copy_memory()


def _shrunk(original: Original, width: int, height: int, strictness: str) -> pyvips.Image:
    size = {"height": height, "size": "down"}
    colours = png_gamma.colours_of(original.data) if original.filetype == PNG else None
    if original.is_lab:
        return lab_tiff.as_lab(_loaded(original, strictness)).thumbnail_image(width, **size)
    if colours is not None:
        picture = png_gamma.as_srgb(_loaded(original, strictness), colours)
        return picture.thumbnail_image(width, **size)
    if original.filetype == TIFF and tiff_samples.is_unscaled(original.header):
        most = _loaded(original, strictness).max()  # read twice rather than held in memory
        picture = tiff_samples.scaled(_loaded(original, strictness), most=most)
        profiles = {} if original.header.format == "float" else PROFILES
        return picture.thumbnail_image(width, **size, **profiles)
    # Shrinks while it decodes where the codec can, and turns by the camera's orientation.
    return pyvips.Image.thumbnail_buffer(
        original.data,
        width,
        **size,
        **_profiles(original.header),
        # Its own `fail_on` never reaches the decoder of a buffer (libvips 8.18).
        option_string=f"[fail_on={strictness}]",
    )


def _profiles(header: pyvips.Image) -> dict[str, str]:
    """Return what a file without a profile means, and what it is to become."""
    if header.interpretation in ABSOLUTE:
        return {}  # libvips would take the numbers for RGB
    return PROFILES | ({"input_profile": "cmyk"} if header.interpretation == "cmyk" else {})


def _loaded(original: Original, strictness: str) -> pyvips.Image:
    return pyvips.Image.new_from_buffer(original.data, "", access="sequential", fail_on=strictness)
