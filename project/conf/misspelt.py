"""Variables whose names are nearly ours: SHOP_COUNTY is a slip, and would be ignored."""

from collections.abc import Iterable, Mapping
from itertools import starmap

from django.core.exceptions import ImproperlyConfigured

FEWEST_LETTERS = 8
"""A shorter name (PORT, DEBUG, SMS_URL) is near to names of other programs."""
LONG = 12
"""From this length on, two slips still make a name that can hardly be another program's."""
MOST_SLIPS = 2


def refuse_misspelt(environment: Mapping[str, str], known: Iterable[str]) -> None:
    """Raise ImproperlyConfigured if a variable is probably a known one, misspelt."""
    if found := misspelt(environment, known):
        raise ImproperlyConfigured("\n".join(starmap(_question, found.items())))


def _question(name: str, meant: str) -> str:
    return (
        f"{name} isn't a variable of Tandem: did you mean {meant}? Rename it, or set {meant} as"
        f" well if {name} is another program's."
    )


def misspelt(environment: Mapping[str, str], known: Iterable[str]) -> dict[str, str]:
    """Return the unknown variables by name, each with the known one that is probably meant.

    A known variable that is set is meant by no other: the near one is another program's.
    """
    known = set(known)
    missing = [name for name in known if len(name) >= FEWEST_LETTERS and not environment.get(name)]
    found = {}
    for name in sorted(set(environment) - known):
        given = name.upper()
        # The lengths first: each start of a process compares all pairs.
        like = [meant for meant in missing if abs(len(meant) - len(given)) <= MOST_SLIPS]
        near = [(distance(given, meant), meant) for meant in like]
        slips, meant = min(near, default=(LONG, ""))
        if slips <= (MOST_SLIPS if len(meant) >= LONG else 1):
            found[name] = meant
    return found


def distance(one: str, other: str) -> int:
    """Return how many letters are missing, surplus, wrong or exchanged with their neighbour.

    The "optimal string alignment" distance.
    """
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        current = [row]
        for column, wanted in enumerate(other, start=1):
            steps = [
                last[column] + 1,
                current[column - 1] + 1,
                last[column - 1] + (letter != wanted),
            ]
            if row > 1 and column > 1 and one[row - 2] == wanted and letter == other[column - 2]:
                steps.append(before[column - 2] + 1)
            current.append(min(steps))
        before, last = last, current
    return last[-1]
