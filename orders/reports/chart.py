"""The report's chart: an SVG that libvips renders to a PNG. Only the worker loads it.

Mail programs don't show SVG. The text is drawn with the fonts in this repository, so that the
picture is the same on a server without fonts.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pyvips

from media_jobs.lettering import fit
from media_jobs.watermark import inked

WIDTH, HEIGHT = 1040, 380
"""Pixels, twice the displayed size, so that the chart is sharp on a phone."""
TOP, BOTTOM = 56, 56
GAP = 12
LETTERS = 28

BAR, TODAY, GROUND, LINE = "#9fd3cd", "#0f766e", "#ffffff", "#dde3e8"
INK = [27, 39, 51]


def draw(turnover_by_day: Sequence[tuple[date, Decimal]], *, highest: str) -> bytes:
    """Return the PNG of the days' turnover as bars, the last one dark.

    `highest` is the text above the highest bar: its amount.
    """
    picture = pyvips.Image.svgload_buffer(svg(turnover_by_day).encode())
    step = WIDTH / len(turnover_by_day)
    amounts = [amount for _day, amount in turnover_by_day]
    for place, (day, _amount) in enumerate(turnover_by_day):
        centre = round(step * (place + 0.5))
        picture = _write(picture, str(day.day), centre=centre, baseline=HEIGHT - 18)
    if max(amounts):
        place = amounts.index(max(amounts))
        picture = _write(picture, highest, centre=round(step * (place + 0.5)), baseline=TOP - 16)
    png: bytes = picture.flatten(background=255).pngsave_buffer(compression=9, palette=True)
    return png


def svg(turnover_by_day: Sequence[tuple[date, Decimal]]) -> str:
    """Return the bars as an SVG without text."""
    most = max((amount for _day, amount in turnover_by_day), default=Decimal(0)) or Decimal(1)
    step = WIDTH / len(turnover_by_day)
    ground = HEIGHT - BOTTOM
    bars = []
    for place, (_day, amount) in enumerate(turnover_by_day):
        height = round((ground - TOP) * float(amount / most))
        colour = TODAY if place == len(turnover_by_day) - 1 else BAR
        bars.append(
            f'<rect x="{step * place + GAP:.1f}" y="{ground - height}" rx="4"'
            f' width="{step - 2 * GAP:.1f}" height="{height}" fill="{colour}"/>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{GROUND}"/>{"".join(bars)}'
        f'<rect y="{ground}" width="{WIDTH}" height="2" fill="{LINE}"/></svg>'
    )


def _write(picture: pyvips.Image, text: str, *, centre: int, baseline: int) -> pyvips.Image:
    """Return the picture with the text above the baseline, kept inside the picture."""
    line = fit(text, size=LETTERS, width=WIDTH // 2)
    left = min(max(4, centre - line.width // 2), WIDTH - line.width - 4)
    ink = inked(INK, line.mask)
    return picture.composite2(ink, "over", x=left + line.left, y=baseline - line.rise)
