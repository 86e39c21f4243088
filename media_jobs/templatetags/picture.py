"""`{% picture asset "card" alt="…" %}`: one rendition in its formats, or a tile until it is made;
`{% video asset alt="…" %}` the same for a video.

The asset's own row has all of it: no queries here.
"""

from typing import Any

from django import template

from media_jobs.display import picture_of, video_of
from media_jobs.models import Asset

register = template.Library()


@register.inclusion_tag("media_jobs/picture.html")
def picture(
    asset: Asset | None, name: str, *, alt: str = "", eager: bool = False, sizes: str = ""
) -> dict[str, Any]:
    """Show the asset's rendition `name`.

    `eager` is for pictures at the page's top; others load when they come near. `sizes` tells the
    browser the picture's width on the page, as in HTML. Without an asset, and until its renditions
    are made, there is a tile with the shop's mark (class `picture-tile`).
    """
    return {
        "picture": picture_of(asset, name) if asset else None,
        "alt": alt,
        "eager": eager,
        "sizes": sizes,
    }


@register.inclusion_tag("media_jobs/video.html")
def video(asset: Asset, *, alt: str = "") -> dict[str, Any]:
    """Show the asset's video with its poster; the tile until it is made."""
    return {"video": video_of(asset), "alt": alt}
