"""The ground of pickup passes: everything but letters, code and the total's rule.

It is the same for all orders, so each process draws it once, in the 256 colours of passes, and
keeps it with the tables by which letters are laid onto it.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from typing import cast

import pyvips
from PIL import Image, ImageChops

from media_jobs.pass_colours import Colour, Palette, blend, choose
from media_jobs.watermark import mark

WIDTH, HEIGHT = 1080, 1350
GREEN, DEEP_GREEN, GOLD, PAPER = "#0e5a4b", "#0a4439", "#f2b84b", "#fbfaf7"
INK, MUTED, PALE, HEADING = (22, 38, 34), (98, 112, 106), (200, 222, 215), (255, 255, 255)
BLACK, WHITE, RULE = (0, 0, 0), (255, 255, 255), (220, 219, 210)

LEFT, RIGHT = 104, 976
"""The ticket's text columns, in pixels from the left edge of the picture."""
TICKET = (48, 168, 984, 1134)
"""The paper: left, top, width, height."""
TEAR = 616
"""The edge between the two parts of the ticket."""
QR_SIDE, QR_TOP, QR_PADDING = 328, 220, 16

ON_PAPER = ((100, 1000), (470, 870), (700, 830))
ON_GREEN = ((210, 130), (1000, 112), (700, 120))
"""Points with each colour that letters are written on: plain, and in the rings of the mark."""
INKS = {INK: ON_PAPER, MUTED: ON_PAPER, PALE: ON_GREEN, HEADING: ON_GREEN}
LEVELS = 32
"""The shades of a letter's edge. A place of the ground and a shade are one byte together."""
EXACT = 32
"""The number of colours that the ground has most of: these are kept as they are."""


@dataclass(frozen=True)
class Ground:
    """The ground and its colours. Never drawn upon: each pass has a copy."""

    picture: Image.Image
    """In the palette's colours."""
    palette: Palette
    places: Image.Image
    """For each pixel, the number of the written-on colour that is nearest, times LEVELS."""
    written_on: list[Colour]

    def colour(self, colour: Colour) -> int:
        """Return the place of a colour that the palette has exactly."""
        return self.palette.chosen.index(colour)

    @cached_property
    def inks(self) -> dict[Colour, list[int]]:
        """Return for each ink the palette's colour by place and level."""
        nearest = self.palette.nearest
        return {
            ink: [
                nearest.get(blend(ground, ink, level / (LEVELS - 1)), 0)
                for ground in self.written_on
                for level in range(LEVELS)
            ]
            + [0] * (256 - LEVELS * len(self.written_on))
            for ink in INKS
        }

    def lay(
        self, picture: Image.Image, mask: bytes, x: int, y: int, size: tuple[int, int], ink: Colour
    ) -> None:
        """Lay ink onto the picture, its upper left corner at x, y; 255 in the mask is all ink."""
        box = (x, y, x + size[0], y + size[1])
        levels = Image.frombytes("L", size, mask.translate(_LEVEL_OF))
        shades = ImageChops.add(self.places.crop(box), levels).point(self.inks[ink])
        # Where there is no ink the ground stays as it is.
        picture.paste(shades, box, Image.frombytes("L", size, mask.translate(_IS_INKED)))


_LEVEL_OF = bytes(round(value * (LEVELS - 1) / 255) for value in range(256))
_IS_INKED = bytes(255 * bool(level) for level in _LEVEL_OF)


@cache
def ground() -> Ground:
    """Return the ground of all passes: 3 MB that a process keeps. The first call takes 0.2 s."""
    whole = drawn()
    written_on = [_colour_at(whole, spot) for spot in dict.fromkeys((*ON_PAPER, *ON_GREEN))]
    shades = {
        blend(_colour_at(whole, spot), ink, level / (LEVELS - 1))
        for ink, spots in INKS.items()
        for spot in spots
        for level in range(LEVELS)
    }
    colours = _colours_of(whole)
    exact = [BLACK, WHITE, RULE, *INKS, *written_on, *colours[:EXACT]]
    palette = choose(exact, {*colours, *shades})
    picture = _numbered(whole, palette.nearest)
    nearest_place = choose(written_on, palette.chosen, most=len(written_on)).nearest
    place_of = bytes(nearest_place[colour] * LEVELS for colour in palette.chosen)
    places = picture.translate(place_of.ljust(256, b"\0"))
    return Ground(
        Image.frombytes("L", whole.size, picture),
        palette,
        Image.frombytes("L", whole.size, places),
        written_on,
    )


def _colour_at(picture: Image.Image, spot: tuple[int, int]) -> Colour:
    return cast("Colour", picture.getpixel(spot))


def _colours_of(picture: Image.Image) -> list[Colour]:
    """Return the picture's colours, those of most pixels first."""
    counted = cast("list[tuple[int, Colour]]", picture.getcolors(maxcolors=WIDTH * HEIGHT))
    return [colour for _count, colour in sorted(counted, key=lambda one: (-one[0], one[1]))]


def _numbered(picture: Image.Image, numbers: dict[Colour, int]) -> bytes:
    """Return the number of each pixel's colour."""
    # Each pixel is read as one integer: as tuples they would take several times as long.
    pixels = memoryview(picture.convert("RGBX").tobytes()).cast("I")
    by_integer = {
        memoryview(bytes((*colour, 255))).cast("I")[0]: number for colour, number in numbers.items()
    }
    return bytes(map(by_integer.__getitem__, pixels))


def drawn() -> Image.Image:
    """Return the ground in all its colours: the paper, its tear, the shop's mark as watermark."""
    left, top, width, height = TICKET
    right = left + width
    svg = f"""<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}">
      <defs>
        <linearGradient id="green" x1="0" y1="0" x2="1" y2="1">
          <stop offset="0" stop-color="{GREEN}"/><stop offset="1" stop-color="{DEEP_GREEN}"/>
        </linearGradient>
        <clipPath id="paper">
          <rect x="{left}" y="{top}" width="{width}" height="{height}" rx="36"/>
        </clipPath>
      </defs>
      <rect width="{WIDTH}" height="{HEIGHT}" fill="url(#green)"/>
      <g transform="translate(620 -190) scale(15)" opacity=".07">
        {mark(first="#fff", second="#fff")}
      </g>
      <g transform="translate(78 58) scale(2.8)">{mark(first="#fff", second=GOLD)}</g>
      <g clip-path="url(#paper)">
        <rect x="{left}" y="{top}" width="{width}" height="{height}" fill="{PAPER}"/>
        <g transform="translate(330 690) rotate(-14 360 252) scale(20)" opacity=".055">
          {mark(first=GREEN, second=GOLD)}
        </g>
        <circle cx="{left}" cy="{TEAR}" r="26" fill="{GREEN}"/>
        <circle cx="{right}" cy="{TEAR}" r="26" fill="{GREEN}"/>
      </g>
      <rect x="{RIGHT - QR_SIDE - QR_PADDING}" y="{QR_TOP - QR_PADDING}" rx="24"
        width="{QR_SIDE + 2 * QR_PADDING}" height="{QR_SIDE + 2 * QR_PADDING}"
        fill="#fff" stroke="#e4e2da" stroke-width="2"/>
      <path d="M{left + 44} {TEAR}H{right - 44}" stroke="#c9cbc2" stroke-width="4"
        stroke-linecap="round" stroke-dasharray="1 14"/>
    </svg>"""
    flat = pyvips.Image.svgload_buffer(svg.encode()).flatten()
    return Image.frombytes("RGB", (WIDTH, HEIGHT), flat.write_to_memory())
