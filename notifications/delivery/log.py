"""The delivery log: how each attempt to send a message ended, on the message's own row.

The UPDATE that ends the attempt writes it, so the two never differ. A manual retry continues
the same log.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from notifications.channels.answer import kept_words
from notifications.models import Notification
from project.jobs.queryset import Status

KEEP = 30
"""Entries; older ones are dropped."""

LOST = "lost"
ENDED: dict[str, tuple[str | Promise, str]] = {
    Status.DONE: (_("sent"), "success"),
    Status.FAILED: (_("failed"), "danger"),
    Status.UNKNOWN: (_("unknown"), "warning"),
    Status.CANCELLED: (_("not wanted any more"), ""),
    "again": (_("retried"), "warning"),
    "parked": (_("waited"), "info"),
    "released": (_("released"), ""),
    "given back": (_("released"), ""),  # rows of earlier versions
    LOST: (_("worker died"), "danger"),
}
"""The label of each end of an attempt, and unfold's name of its colour."""


@dataclass(frozen=True)
class Attempt:
    """One line of the log."""

    number: int
    at: datetime | None
    """Its begin, on the database's clock; None if the worker died."""
    seconds: float | None
    label: str | Promise
    colour: str
    words: str
    gateway: str
    """The gateway that had the message; empty for e-mail."""
    times: int
    """The number of equal attempts in a row, for waits with the same reason."""


def logged(message: Notification, *, ended: str, words: str) -> list[dict[str, Any]]:
    """Return the message's log with the claimed attempt, which ends now."""
    log = list(message.attempts_log)
    last = log[-1] if log else {}
    known = last.get("lost", 0)
    died = message.lost - known if message.lost >= known else message.lost  # counted anew
    log += [
        {"ended": LOST, "number": number, "words": ""}
        for number in range(message.attempts - died, message.attempts)
    ]
    entry = {
        "ended": ended,
        "number": message.attempts,
        "at": message.started_at.isoformat() if message.started_at else None,
        "seconds": round(monotonic() - message.began, 3) if message.began else None,
        "words": kept_words(words),
        "lost": message.lost,
        "gateway": message.gateway.partition(":")[2],
    }
    if ended == "parked" and (last.get("ended"), last.get("words")) == (ended, entry["words"]):
        log.pop()  # a long outage must not displace the entries before it
        entry["times"] = last.get("times", 1) + 1
    return [*log, entry][-KEEP:]


def read_attempts(message: Notification) -> Iterator[Attempt]:
    """Yield the message's attempts, oldest first."""
    for entry in message.attempts_log:
        label, colour = ENDED.get(entry["ended"], (entry["ended"], ""))
        yield Attempt(
            number=entry["number"],
            at=parse_datetime(entry.get("at") or ""),
            seconds=entry.get("seconds"),
            label=label,
            colour=colour,
            words=entry["words"],
            gateway=entry.get("gateway", ""),
            times=entry.get("times", 1),
        )
