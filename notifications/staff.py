"""The staff that messages of this app are for. The shop says who they are."""

from collections.abc import Callable

from notifications.outbox import Staff

_known: list[Callable[[], list[Staff]]] = []


def staff_are(read: Callable[[], list[Staff]]) -> None:
    """Let `read` say who the staff are; the shop's `AppConfig.ready` calls this."""
    _known.append(read)


def readers() -> list[Staff]:
    """Return the staff who get messages about the shop."""
    return [reader for read in _known for reader in read()]
