"""The modules that `bin/test` leaves out because they take most of the time (`long.txt`)."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from project.local.env import ROOT

_LINES = Path(__file__).with_suffix(".txt").read_text().splitlines()
LONG = frozenset(line for line in _LINES if line and not line.startswith("#"))


def mark_long(items: Iterable[pytest.Item], *, modules: frozenset[str] = LONG) -> None:
    """Mark the tests of these modules, named by their paths in the checkout, as `long`."""
    for item in items:
        if item.path.relative_to(ROOT).as_posix() in modules:
            item.add_marker("long")
