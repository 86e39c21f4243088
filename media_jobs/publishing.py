"""What an asset shows, in one column: its renditions are published when their job finishes.

Pages and API then read neither jobs nor renditions, however many there are (`display`).
"""

from collections.abc import Iterable
from typing import Any

from media_jobs.models import Asset, MediaJob, Rendition
from media_jobs.recipes import PRODUCT, PRODUCT_VIDEO, RECIPES, Recipe


def product_recipe(asset: Asset) -> Recipe:
    """Return the recipe for such a file of a product."""
    return PRODUCT_VIDEO if asset.is_video else PRODUCT


def publish(asset: Asset) -> None:
    """Write what the asset shows from now on, in the transaction that makes its renditions."""
    name = product_recipe(asset).name
    made = MediaJob.objects.filter(asset=asset, recipe=name).prefetch_related("renditions")
    asset.published = next((published_of(job, job.renditions.all()) for job in made), None)
    Asset.objects.filter(pk=asset.pk).update(published=asset.published)


def published_of(job: MediaJob, renditions: Iterable[Rendition]) -> dict[str, Any] | None:
    """Return the column's value: the files in the recipe's order, pictures first. None: no file."""
    order = order_of(RECIPES[job.recipe])
    made = [each for each in renditions if (each.name, each.format) in order]
    made.sort(key=lambda each: order[each.name, each.format])
    files = [
        {
            "name": each.name,
            "format": each.format,
            "width": each.width,
            "height": each.height,
            "seconds": each.seconds,
            "file": str(each.file),
        }
        for each in made
    ]
    return {"placeholder": job.placeholder, "files": files} if files else None


def order_of(recipe: Recipe) -> dict[tuple[str, str], tuple[int, int]]:
    """Return the place of each rendition of the recipe, by its name and format."""
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
    return order
