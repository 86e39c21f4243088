"""What is wrong after an erasure: pieces of the person that are left, books that do not agree."""

from typing import Any

from project.monitoring.audit import run_audit
from tests.orders.personal_data.dump import found
from tests.orders.personal_data.shopper import PIECES


def drift() -> list[Any]:
    return [each for each in run_audit().findings if each["violations"]]


def left_over() -> dict[str, set[str]]:
    """Return where a piece of the person is still found.

    The cache counts the requests of a client address, whoever they are, for a day at most.
    """
    found_at = {piece: found(piece) for piece in PIECES}
    found_at["203.0.113.77"] -= {"project_cache"}
    return {piece: places for piece, places in found_at.items() if places}
