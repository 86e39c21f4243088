"""An asset's renditions for pages and API: read from prefetched rows, without decoding."""

from dataclasses import dataclass

from media_jobs.models import Asset, Rendition
from media_jobs.recipes import PRODUCT, PRODUCT_VIDEO, RECIPES, VIDEO_TYPES, Recipe

PREFETCH = "jobs__renditions"
"""The relations to prefetch on assets, so that this module makes no queries."""


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


def product_recipe(asset: Asset) -> Recipe:
    """Return the recipe for such a file of a product."""
    return PRODUCT_VIDEO if asset.is_video else PRODUCT


def renditions_of(asset: Asset, *, recipe: Recipe | None = None) -> list[Rendition]:
    """Return the asset's renditions by this recipe (else by that of its product), in the recipe's
    order, pictures first; empty until they are made.
    """
    recipe = recipe or product_recipe(asset)
    order = {
        (spec.name, file_format.name): (place, rank)
        for place, spec in enumerate(recipe.renditions)
        for rank, file_format in enumerate(spec.formats)
    }
    last = len(order)
    for place, video in enumerate(recipe.videos):
        order[video.name, "mp4"] = order[f"hls-{video.name}", "mp4"] = (last + place, 0)
        order[f"hls-{video.name}", "m3u8"] = (last + place, 1)
    if recipe.videos:
        order["hls", "m3u8"] = (last + len(recipe.videos), 0)
    made = [
        rendition
        for job in asset.jobs.all()
        if job.recipe == recipe.name
        for rendition in job.renditions.all()
        # A rendition that the recipe no longer has stays until its job runs again.
        if (rendition.name, rendition.format) in order
    ]
    return sorted(made, key=lambda rendition: order[rendition.name, rendition.format])


def is_made(asset: Asset) -> bool:
    """Tell whether the asset has renditions to show."""
    return bool(renditions_of(asset))


def picture_of(asset: Asset, name: str, *, recipe: str = "") -> Picture | None:
    """Return the rendition `name` in all its formats and widths; None until it is made."""
    of_recipe = RECIPES[recipe] if recipe else product_recipe(asset)
    shown_as = {spec.name: spec.shown_as for spec in of_recipe.renditions}
    made = [
        rendition
        for rendition in renditions_of(asset, recipe=of_recipe)
        if shown_as.get(rendition.name) == name
    ]
    if not made:
        return None
    by_format: dict[str, dict[int, Rendition]] = {}
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
        url=largest.file.url,
        width=largest.width,
        height=largest.height,
        placeholder=_placeholder(asset, of_recipe),
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
        sources.append(Source(stream.file.url, VIDEO_TYPES["m3u8"]))
    for name in reversed(names):
        media = "(min-width: 48rem)" if name != names[0] else ""
        sources.append(Source(made[name, "mp4"].file.url, VIDEO_TYPES["mp4"], media=media))
    poster = made.get(("poster", "webp"))
    largest = made[names[-1], "mp4"]
    return Video(
        sources=sources,
        poster=poster.file.url if poster else "",
        width=largest.width,
        height=largest.height,
    )


def _srcset(widths: dict[int, Rendition]) -> str:
    if len(widths) == 1:
        return next(iter(widths.values())).file.url
    return ", ".join(f"{widths[width].file.url} {width}w" for width in sorted(widths))


def _media_of(widths: dict[int, Rendition]) -> str:
    """Animations are for users without "reduced motion"; the others get the still."""
    moves = any(rendition.seconds for rendition in widths.values())
    return "(prefers-reduced-motion: no-preference)" if moves else ""


def _placeholder(asset: Asset, recipe: Recipe) -> str:
    return next((job.placeholder for job in asset.jobs.all() if job.recipe == recipe.name), "")
