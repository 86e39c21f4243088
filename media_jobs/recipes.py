"""Recipes: each lists the renditions of one kind of source."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal

from django.conf import settings

ENCODERS = 2
"""Increase it when `images`, `videos` or `pickup_pass` change the files of the same recipe."""

Fit = Literal["inside", "cover"]
"""`inside`: the whole picture within the box; `cover`: the box filled, the rest cut off."""


@dataclass(frozen=True)
class Format:
    name: str
    """Also the file's extension."""
    content_type: str
    quality: int
    """1 to 100, on the codec's own scale; 100 is lossless where the codec can be."""


AVIF = Format("avif", "image/avif", quality=60)
WEBP = Format("webp", "image/webp", quality=80)
JPEG = Format("jpeg", "image/jpeg", quality=82)
PNG = Format("png", "image/png", quality=100)
PDF = Format("pdf", "application/pdf", quality=100)

VIDEO_TYPES = {"mp4": "video/mp4", "m3u8": "application/vnd.apple.mpegurl"}
"""The formats of a video's renditions, besides those of its poster."""


@dataclass(frozen=True)
class RenditionSpec:
    """One picture of a recipe, in each of its formats. Nothing is ever enlarged."""

    name: str
    width: int
    height: int
    formats: tuple[Format, ...]
    fit: Fit = "inside"
    watermark: bool = False
    smaller_of: str = ""
    """The name of the rendition that this one stands for on small screens."""
    moves: bool = False
    """An animation stays one, in WebP, beside a still in the last format."""

    @property
    def shown_as(self) -> str:
        return self.smaller_of or self.name


@dataclass(frozen=True)
class VideoSpec:
    """A video as MP4 (H.264, AAC) and as one stream of its HLS. Nothing is ever enlarged."""

    name: str
    short_side: int
    """The maximum of pixels."""
    kilobits: int
    """The maximum of pictures a second."""
    quality: int = 23
    """x264's CRF: less is better."""
    watermark: bool = True


@dataclass(frozen=True)
class Recipe:
    name: str
    renditions: tuple[RenditionSpec, ...]
    """Of a picture, or of a video's poster."""
    videos: tuple[VideoSpec, ...] = ()
    """The smallest first."""
    streams: bool = True
    """Whether each video is also made into a stream of HLS."""
    private: bool = False
    """Made of a shopper's upload or data: read by signed URLs only."""

    @property
    def hash(self) -> str:
        """A hash of the recipe in 16 digits: the same source and hash give the same renditions."""
        said = {
            **asdict(self),
            "encoders": ENCODERS,
            # The watermark's text.
            "shop": settings.SHOP_NAME if self.is_watermarked else "",
        }
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def is_watermarked(self) -> bool:
        return any(spec.watermark for spec in self.renditions) or any(
            spec.watermark for spec in self.videos
        )


# The best codec first: a browser takes the first that it supports.
PHOTO = (AVIF, WEBP, JPEG)

# Twice the size in which the pages show them, for screens with two pixels a point.
CARDS = (
    RenditionSpec("card", 640, 640, PHOTO, fit="cover"),
    RenditionSpec("card-small", 320, 320, PHOTO, fit="cover", smaller_of="card"),
)
PRODUCT = Recipe(
    "product",
    (
        *CARDS,
        RenditionSpec("page", 1200, 1200, PHOTO, moves=True),
        RenditionSpec("page-small", 600, 600, PHOTO, smaller_of="page", moves=True),
        RenditionSpec("zoom", 1600, 1600, PHOTO, watermark=True),
    ),
)
PRODUCT_VIDEO = Recipe(
    "product_video",
    (*CARDS, RenditionSpec("poster", 1280, 1280, (WEBP,), watermark=True)),
    (
        VideoSpec("480p", 480, kilobits=1400),
        VideoSpec("720p", 720, kilobits=2800),
    ),
)
# In its few colours a PNG is as small as a WebP, sharper, and made in a fraction of the time.
PICKUP_PASS = Recipe("pickup_pass", (RenditionSpec("pass", 1080, 1350, (PNG,)),))

# The printer's file has all pixels of the original; the page's file has the shop's watermark.
PRINT_JPEG = Format("jpeg", "image/jpeg", quality=95)
PREVIEWS = (
    RenditionSpec("preview", 1000, 1000, (WEBP, JPEG), watermark=True),
    RenditionSpec("thumbnail", 240, 240, (WEBP, JPEG), fit="cover"),
)
PRINT_PICTURE = Recipe(
    "print_picture",
    (RenditionSpec("print", 12_000, 12_000, (PRINT_JPEG,)), *PREVIEWS),
    private=True,
)
PRINT_VIDEO = Recipe(
    "print_video",
    PREVIEWS,
    (
        VideoSpec("preview", 480, kilobits=1000),
        VideoSpec("print", 1080, kilobits=12_000, quality=18, watermark=False),
    ),
    streams=False,  # its parts would need signed addresses, too
    private=True,
)

# One A4 document each, in points. They name customers: signed URLs only.
_A4 = RenditionSpec("paper", 595, 842, (PDF,))
INVOICE = Recipe("invoice", (_A4,), private=True)
PACKING_SLIP = Recipe("packing_slip", (_A4,), private=True)
PICK_LIST = Recipe("pick_list", (_A4,), private=True)
PAPERS = (INVOICE, PACKING_SLIP, PICK_LIST)

RECIPES = {
    recipe.name: recipe
    for recipe in (PRODUCT, PRODUCT_VIDEO, PICKUP_PASS, PRINT_PICTURE, PRINT_VIDEO, *PAPERS)
}
CHECK_PICTURE, CHECK_VIDEO = CHECKS = ("check_picture", "check_video")
"""The recipe names of jobs that make no files: they check whether a file can be used."""
FILMS = tuple(recipe.name for recipe in RECIPES.values() if recipe.videos)
