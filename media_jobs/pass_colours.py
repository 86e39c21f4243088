"""The 256 colours of pickup passes, and which of them stands for each colour that is drawn.

With 256 colours a pixel is one byte, so that a pass is drawn and encoded with a third of the work.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property

Colour = tuple[int, int, int]
MOST = 256


@dataclass
class Palette:
    """Chosen colours, and the nearest of them for each known one."""

    chosen: list[Colour] = field(default_factory=list)
    nearest: dict[Colour, int] = field(default_factory=dict)
    """The place in `chosen`."""
    _distances: dict[Colour, int] = field(default_factory=dict)

    @cached_property
    def flat(self) -> list[int]:
        """Return the chosen colours' channels, one after another."""
        return [channel for colour in self.chosen for channel in colour]

    def add(self, colour: Colour) -> None:
        """Choose one more colour."""
        red, green, blue = colour
        place = len(self.chosen)
        self.chosen.append(colour)
        for known, distance in self._distances.items():
            a, b, c = known[0] - red, known[1] - green, known[2] - blue
            if (closer := a * a + b * b + c * c) < distance:
                self._distances[known], self.nearest[known] = closer, place


def choose(first: Sequence[Colour], others: Collection[Colour], *, most: int = MOST) -> Palette:
    """Return a palette with all of `first`, and then with the others that it lacks most.

    Each time the colour is added that is furthest from all chosen ones: so that the greatest
    error is small, however rare a colour is. The same colours give the same palette.
    """
    known = sorted({*first, *others})
    palette = Palette(_distances=dict.fromkeys(known, 3 * 256 * 256))
    for colour in dict.fromkeys(first):
        palette.add(colour)
    while len(palette.chosen) < min(most, len(known)):
        palette.add(max(known, key=palette._distances.__getitem__))
    return palette


def blend(ground: Colour, ink: Colour, share: float) -> Colour:
    """Return the ground's colour under so much of the ink (0 to 1)."""
    red, green, blue = (
        round(below + (above - below) * share) for below, above in zip(ground, ink, strict=True)
    )
    return red, green, blue
