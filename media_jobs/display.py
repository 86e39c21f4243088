"""An asset's renditions for pages and API: read from its own row, without decoding."""

from dataclasses import dataclass

from django.core.files.storage import default_storage

from media_jobs.models import Asset
from media_jobs.publishing import order_of, product_recipe
from media_jobs.recipes import PRODUCT_VIDEO, VIDEO_TYPES


@dataclass(frozen=True)
class Source:
    """One source that a browser may choose: files of one type in some widths, or a stream."""

    srcset: str
    content_type: str
    media: str = ""


@dataclass(frozen=True)
class Picture:
    """The values of a `<picture>`: the sources, best codec first, and the fallback for `<img>`."""

    sources: list[Source]
    srcset: str
    """Of the fallback; empty if it has one width only."""
    url: str
    width: int
    height: int
    placeholder: str = ""
    """A data: URL that is shown until the picture has loaded."""


@dataclass(frozen=True)
class Video:
    """The values of a `<video>`."""

    sources: list[Source]
    poster: str
    width: int
    height: int


@dataclass(frozen=True)
class ShownFile:
    """One published rendition."""

    name: str
    format: str
    width: int
    height: int
    seconds: float | None
    file: str

    @property
    def url(self) -> str:
        return str(default_storage.url(self.file))


def renditions_of(asset: Asset) -> list[ShownFile]:
    """Return the published renditions by the asset's recipe, in its order, pictures first; empty
    until they are made.
    """
    # A rendition that the recipe no longer has stays until its job runs again.
    known = order_of(product_recipe(asset))
    files = [ShownFile(**each) for each in (asset.published or {}).get("files", ())]
    return [each for each in files if (each.name, each.format) in known]


def is_made(asset: Asset) -> bool:
    """Tell whether the asset has renditions to show."""
    return asset.published is not None


def picture_of(asset: Asset, name: str) -> Picture | None:
    """Return the rendition `name` in all its formats and widths; None until it is made."""
    shown_as = {spec.name: spec.shown_as for spec in product_recipe(asset).renditions}
    made = [rendition for rendition in renditions_of(asset) if shown_as.get(rendition.name) == name]
    if not made:
        return None
    by_format: dict[str, dict[int, ShownFile]] = {}
    for rendition in made:
        # A small original has one width, however many the recipe has.
        by_format.setdefault(rendition.format, {}).setdefault(rendition.width, rendition)
    *better, fallback = by_format.items()  # the last is the oldest codec
    sources = [
        Source(_srcset(widths), f"image/{file_format}", media=_media_of(widths))
        for file_format, widths in better
    ]
    largest = max(fallback[1].values(), key=lambda rendition: rendition.width)
    return Picture(
        sources=sources,
        srcset=_srcset(fallback[1]) if len(fallback[1]) > 1 else "",
        url=largest.url,
        width=largest.width,
        height=largest.height,
        placeholder=(asset.published or {}).get("placeholder", ""),
    )


def video_of(asset: Asset) -> Video | None:
    """Return the asset's video; None until it is made."""
    made = {
        (rendition.name, rendition.format): rendition
        for rendition in renditions_of(asset)
        if asset.is_video
    }
    names = [spec.name for spec in PRODUCT_VIDEO.videos if (spec.name, "mp4") in made]
    if not names:
        return None
    sources = []
    if stream := made.get(("hls", "m3u8")):
        # Safari plays it and chooses the size by its bandwidth; other browsers skip it.
        sources.append(Source(stream.url, VIDEO_TYPES["m3u8"]))
    for name in reversed(names):
        media = "(min-width: 48rem)" if name != names[0] else ""
        sources.append(Source(made[name, "mp4"].url, VIDEO_TYPES["mp4"], media=media))
    poster = made.get(("poster", "webp"))
    largest = made[names[-1], "mp4"]
    return Video(
        sources=sources,
        poster=poster.url if poster else "",
        width=largest.width,
        height=largest.height,
    )


def _srcset(widths: dict[int, ShownFile]) -> str:
    if len(widths) == 1:
        return next(iter(widths.values())).url
    return ", ".join(f"{widths[width].url} {width}w" for width in sorted(widths))


def _media_of(widths: dict[int, ShownFile]) -> str:
    """Animations are for users without "reduced motion"; the others get the still."""
    moves = any(rendition.seconds for rendition in widths.values())
    return "(prefers-reduced-motion: no-preference)" if moves else ""
