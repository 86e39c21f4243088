"""Pictures: makes a recipe's renditions from an original's bytes, by libvips.

Runs in the media worker only: malicious files attack decoders.
"""

from base64 import b64encode
from collections.abc import Iterator

import pyvips
from django.conf import settings
from django.utils.translation import gettext as _

from media_jobs.decoding import PROFILES, decoded, opened, unreadable
from media_jobs.filetypes import GIF, WEBP, UnusableFileError
from media_jobs.gain_map import has_gain_map, without_gain_map
from media_jobs.output import Output
from media_jobs.recipes import Format, RenditionSpec
from media_jobs.watermark import watermarked

ANIMATION_FACTOR = 2
"""The frames of an animation together may have so many times the pixels of a single picture."""
WEBP_QUALITY_MOVING = 70
WEBP_EFFORT = 4
"""0 to 6; libwebp's default."""
AVIF_EFFORT = 2
"""0 to 9. Three takes up to three times as long and saves 0 to 8 %, four ten times as long; one
takes half as long, for up to 40 % more of a drawing.
"""

# A worker has a process for each picture, so each uses one core; a cache is useless, because
# pictures share no operations.
pyvips.concurrency_set(1)
pyvips.cache_set_max(0)


def renditions_of(
    data: bytes, specs: tuple[RenditionSpec, ...]
) -> Iterator[tuple[RenditionSpec, pyvips.Image]]:
    """Yield each rendition of the original, largest first: upright, in sRGB, 8 bits a channel.

    The original is decoded once, to the size of the largest rendition; the others are made of
    that, once for all of their formats. Raises UnusableFileError with a sentence for the user.
    """
    largest_first = sorted(specs, key=lambda spec: spec.width * spec.height, reverse=True)
    base = decoded(opened(data), specs)
    for spec in largest_first:
        picture = _resized(base, spec)
        if spec.watermark:
            picture = watermarked(picture, shop_name=settings.SHOP_NAME)
        yield spec, picture.copy_memory()


def animations_of(data: bytes, specs: tuple[RenditionSpec, ...]) -> Iterator[Output]:
    """Yield an animated WebP for each rendition that moves; nothing for a still original.

    Raises UnusableFileError with a sentence for the user.
    """
    original = opened(data)
    header = original.header
    frames = header.get("n-pages") if "n-pages" in header.get_fields() else 1
    if frames < 2 or original.filetype not in (GIF, WEBP):  # a TIFF's pages are no animation
        return
    limit = settings.MEDIA_MAX_MEGAPIXELS * ANIMATION_FACTOR
    if frames * header.width * header.height > limit * 1_000_000:
        message = _(
            "The animation has %(frames)d pictures, together %(pixels)d megapixels; at most"
            " %(limit)d can be used. Make it shorter or smaller and try again."
        )
        pixels = frames * header.width * header.height // 1_000_000
        raise UnusableFileError(message % {"frames": frames, "pixels": pixels, "limit": limit})
    for spec in specs:
        if not spec.moves:
            continue
        try:
            strip = pyvips.Image.thumbnail_buffer(
                data,
                spec.width,
                height=spec.height,
                size="down",
                **PROFILES,
                option_string="[n=-1,fail_on=error]",
            )
            strip = strip.colourspace("srgb").cast("uchar").copy_memory()
            content = strip.webpsave_buffer(Q=WEBP_QUALITY_MOVING, keep="none")
        except pyvips.Error as error:
            raise unreadable(error, original.filetype) from error
        yield Output(
            spec.name,
            "webp",
            strip.width,
            strip.get("page-height"),
            content,
            seconds=sum(strip.get("delay")) / 1000,
        )


def placeholder_of(picture: pyvips.Image) -> str:
    """Return the picture in sixteen pixels, as a data: URL; empty if it has transparency."""
    if picture.hasalpha():
        return ""
    tiny = picture.thumbnail_image(16, height=16).webpsave_buffer(Q=50, keep="none")
    return f"data:image/webp;base64,{b64encode(tiny).decode()}"


def encode(picture: pyvips.Image, file_format: Format) -> bytes:
    """Return the picture in the format, without metadata; in JPEG, transparency becomes white.

    JPEG alone keeps a gain map.
    """
    quality = file_format.quality
    match file_format.name:
        case "avif":
            return picture.heifsave_buffer(
                compression="av1", Q=quality, effort=AVIF_EFFORT, keep="none"
            )
        case "webp":
            return picture.webpsave_buffer(
                Q=quality, lossless=quality == 100, effort=WEBP_EFFORT, keep="none"
            )
        case "jpeg":
            if picture.hasalpha():
                picture = without_gain_map(picture.flatten(background=255))
            # A browser on a bright screen shows more of it by the map; others pass it over.
            if has_gain_map(picture):
                return picture.uhdrsave_buffer(Q=quality, keep="gainmap")
            return picture.jpegsave_buffer(Q=quality, interlace=True, keep="none")
        case "png":
            return picture.pngsave_buffer(compression=7, keep="none")
    raise ValueError(f"no encoder for {file_format.name}")


def _resized(base: pyvips.Image, spec: RenditionSpec) -> pyvips.Image:
    if spec.fit == "inside":
        return base.thumbnail_image(spec.width, height=spec.height, size="down")
    # Cut to the box's shape first, so that a small original isn't enlarged to fill it.
    scale = min(base.width / spec.width, base.height / spec.height)
    cut = base.smartcrop(
        max(1, round(spec.width * scale)), max(1, round(spec.height * scale)), interesting="centre"
    )
    if (cut.width, cut.height) != (base.width, base.height):
        cut = without_gain_map(cut)  # which is still the whole picture's
    return cut.thumbnail_image(spec.width, height=spec.height, size="down")
