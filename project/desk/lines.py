"""Charts of lines as SVG in the page: one line for each percentile, a point for each run.

Like `project.desk.charts`: no script, no other request, and colours by the desk's CSS. The scale
and the dates stand beside the picture, which is stretched to the width of its page.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise

WIDTH, HEIGHT = 720, 200
_EDGE = 6
_STEPS = (1, 2, 5)


@dataclass(frozen=True)
class Line:
    """The values of one line, oldest first; None leaves a gap."""

    name: str
    """The class by which it has its colour."""
    label: str | Promise
    values: Sequence[float | None]
    words: Sequence[str]
    """What is shown under the pointer at each point."""


@dataclass(frozen=True)
class Drawn:
    """One line as the template draws it."""

    name: str
    label: str | Promise
    pieces: list[str]
    """The points of each piece between two gaps."""
    dots: list[tuple[str, str, str]]
    """Of each point: x, y and its words."""


@dataclass(frozen=True)
class LineChart:
    width: int
    height: int
    lines: list[Drawn]
    marks: list[tuple[str, str]]
    """The scale, from the top: y in percent of the height, and the value."""


def draw(lines: Sequence[Line]) -> LineChart:
    """Return the chart of these lines, from zero to a round number above the highest value."""
    known = [value for line in lines for value in line.values if value is not None]
    top = round_up(max(known, default=0.0))
    longest = max((len(line.values) for line in lines), default=0)
    step = (WIDTH - 2 * _EDGE) / max(longest - 1, 1)
    return LineChart(
        width=WIDTH,
        height=HEIGHT,
        lines=[_drawn(line, step=step, top=top) for line in lines],
        marks=[(f"{part:.0f}", f"{top * (100 - part) / 100:g}") for part in (0, 50, 100)],
    )


def _drawn(line: Line, *, step: float, top: float) -> Drawn:
    pieces: list[list[str]] = [[]]
    dots = []
    for place, (value, words) in enumerate(zip(line.values, line.words, strict=True)):
        if value is None:
            pieces.append([])
            continue
        x = f"{_EDGE + place * step:.1f}"
        y = f"{HEIGHT - value / top * HEIGHT:.1f}"
        pieces[-1].append(f"{x},{y}")
        dots.append((x, y, words))
    return Drawn(line.name, line.label, [" ".join(piece) for piece in pieces if piece], dots)


def round_up(value: float) -> float:
    """Return the next of 1, 2, 5, 10, 20, 50 … that isn't below the value."""
    size = 1.0
    while True:
        for step in _STEPS:
            if step * size >= value:
                return step * size
        size *= 10
