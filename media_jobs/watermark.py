"""The shop's mark, two rings side by side, and the watermark with the mark and the shop's name."""

import pyvips

from media_jobs.lettering import fit

MARK_RATIO = 40 / 28
"""The mark's width to its height."""


def mark(*, first: str, second: str) -> str:
    """Return the mark as an SVG fragment 40 wide and 28 high, its rings in these colours."""
    return (
        '<g fill="none" stroke-width="4">'
        f'<circle cx="13" cy="14" r="10" stroke="{first}"/>'
        f'<circle cx="27" cy="14" r="10" stroke="{second}"/></g>'
    )


def watermarked(picture: pyvips.Image, *, shop_name: str) -> pyvips.Image:
    """Return the picture with a legible mark and name in its lower right corner."""
    stamp = stamp_for(picture.width, picture.height, shop_name=shop_name)
    if stamp is None:
        return picture
    mark_picture, left, top = stamp
    marked = picture.composite2(mark_picture, "over", x=left, y=top)
    # A picture without transparency keeps none.
    return marked if picture.hasalpha() else marked.extract_band(0, n=3)


def stamp_for(width: int, height: int, *, shop_name: str) -> tuple[pyvips.Image, int, int] | None:
    """Return mark and name for a picture of this size, and their position; None if it is tiny."""
    letters = max(12, min(width, height) // 22)
    stamp = _stamp(shop_name, height=letters, width=width // 2)
    if stamp.width + letters > width or stamp.height + letters > height:
        return None
    return stamp, width - stamp.width - letters // 2, height - stamp.height - letters // 2


def _stamp(shop_name: str, *, height: int, width: int) -> pyvips.Image:
    """Return mark and name in translucent white with a soft dark edge, about `height` high."""
    rings = pyvips.Image.svgload_buffer(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 28"'
        f' width="{round(height * MARK_RATIO)}" height="{height}">'
        f"{mark(first='#fff', second='#fff')}</svg>".encode()
    )[3]
    margin, gap = height // 2, round(height * 0.3)
    room = max(1, width - rings.width - gap - 2 * margin)
    name = fit(shop_name, size=round(height * 0.9), width=room, bold=True)
    # The name's capitals stand in the middle of the rings.
    baseline = margin + round(height * 0.82)
    name_left = margin + rings.width + gap
    shape = rings.embed(
        margin, margin, name_left + name.width + margin, height + 2 * margin
    ).insert(name.mask, name_left + name.left, baseline - name.rise)
    # The edge lies around the letters only: under them it would make the white grey.
    edge = shape.gaussblur(max(1.0, height / 14)) * (255 - shape) / 255 * 0.5
    light = inked([255, 255, 255], (shape * 0.85).cast("uchar"))
    return inked([0, 0, 0], edge.cast("uchar")).composite2(light, "over")


def inked(colour: list[int], alpha: pyvips.Image) -> pyvips.Image:
    """Return a picture of one colour with the mask `alpha` as its opacity."""
    ground = alpha.new_from_image(colour).copy(interpretation="srgb")
    return ground.bandjoin(alpha).cast("uchar")
