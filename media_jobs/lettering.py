"""Text on pictures: lines in our own fonts, never wider than their place.

A line is a one-band mask with a known baseline, so that texts of different sizes and scripts
sit on the same line. Loaded in the media worker only.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from html import escape
from math import ceil
from pathlib import Path

import pyvips

from project.text import DIRECTION_MARKS

FONTS = Path(__file__).parent / "fonts"
FAMILIES = "Tandem Sans, Tandem Sans CJK"
ASCENT = 1.069
"""The four fonts' ascent in em: where the baseline lies below the top of a line."""
ELLIPSIS = "…"


@dataclass(frozen=True)
class Line:
    """One line of text as a mask (255 where there is ink), and its position."""

    text: str
    mask: pyvips.Image
    left: int
    """From the line's origin to the mask's left edge."""
    rise: int
    """From the mask's top edge down to the baseline."""

    @property
    def width(self) -> int:
        return self.left + self.mask.width

    @cached_property
    def pixels(self) -> bytes:
        """The mask's pixels, row by row: Pango draws them when they are first asked for."""
        return bytes(self.mask.write_to_memory())


@lru_cache(maxsize=256)  # most texts of a pass are those of the one before
def write(text: str, *, size: int, bold: bool = False) -> Line:
    """Return the text as a line of letters, 1 em = `size` pixels, at its natural width.

    A text that leaves no ink gives an empty mask.
    """
    _load_fonts()
    font = f"{FAMILIES} {'Bold ' if bold else ''}{size}"
    # Pango reads markup: shoppers' input must stay text.
    markup = escape(printable(text))
    try:
        mask = pyvips.Image.text(markup, font=font, dpi=72)
    except pyvips.Error as error:
        if "no text to render" not in str(error):
            raise
        return Line(text=text, mask=pyvips.Image.black(1, 1), left=0, rise=0)
    return Line(text=text, mask=mask, left=mask.xoffset, rise=ceil(ASCENT * size) - mask.yoffset)


def fit(text: str, *, size: int, width: int, smallest: int = 0, bold: bool = False) -> Line:
    """Return the text in one line of at most `width` pixels: whole, smaller, or with an ellipsis.

    It shrinks from `size` to `smallest` before it is cut.
    """
    text = printable(text)
    line = write(text, size=size, bold=bold)
    if line.width > width and 0 < smallest < size:
        size = max(smallest, size * width // line.width)
        line = write(text, size=size, bold=bold)
    if line.width <= width:
        return line
    cuts = _cuts(text)
    low, high = 0, len(cuts) - 1  # cuts[low] fits, or nothing does
    while low < high:
        middle = (low + high + 1) // 2
        line = write(_shortened(text, cuts[middle]), size=size, bold=bold)
        low, high = (middle, high) if line.width <= width else (low, middle - 1)
    return write(_shortened(text, cuts[low]), size=size, bold=bold)


def wrap(
    text: str, *, size: int, smallest: int, width: int, lines: int, bold: bool = False
) -> list[Line]:
    """Return the text in one line if it fits at `size`, else in up to `lines` smaller ones.

    Breaks at spaces, or anywhere in scripts without them; the last line may end in an ellipsis.
    """
    text = printable(text)
    first = write(text, size=size, bold=bold)
    if first.width <= width:
        return [first]
    if first.width * smallest <= width * size:
        return [fit(text, size=size, smallest=smallest, width=width, bold=bold)]
    wrapped: list[Line] = []
    while text and len(wrapped) < lines - 1:
        head = fit(text, size=smallest, width=width, bold=bold).text
        if head == text:
            break
        end = len(head.removesuffix(ELLIPSIS))
        space = text.rfind(" ", end // 2, end + 1)
        end = space if space > 0 else end
        wrapped.append(write(text[:end].rstrip(), size=smallest, bold=bold))
        text = text[end:].lstrip()
    return [*wrapped, fit(text, size=smallest, width=width, bold=bold)]


def printable(text: str) -> str:
    """Return the text on one line, without invisible and reordering characters."""
    kept = (
        character
        for character in " ".join(text.split())
        if unicodedata.category(character) not in ("Cc", "Cs", "Co", "Cn")
        and character not in DIRECTION_MARKS
    )
    return "".join(kept)


def _cuts(text: str) -> list[int]:
    """Return the positions at which the text may be cut: never between a letter and its marks."""
    return [0] + [
        index
        for index, character in enumerate(text)
        if index
        and not unicodedata.combining(character)
        and unicodedata.category(character) not in ("Mn", "Me", "Mc")
        and "\N{ZERO WIDTH JOINER}" not in text[index - 1 : index + 1]
    ]


def _shortened(text: str, end: int) -> str:
    return text[:end].rstrip(" ,.;:-–") + ELLIPSIS


@cache
def _load_fonts() -> None:
    """Load our fonts into Pango, once a process."""
    for path in sorted(FONTS.glob("*.[ot]tf")):
        pyvips.Image.text("x", fontfile=str(path), font=FAMILIES)
