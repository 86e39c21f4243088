"""The log of a delivery's attempts, on its own row: request, answer and time of each.

The UPDATE that ends the attempt writes it, so the two never differ. Signatures are masked: who
reads the log can't send requests that look like ours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise

from notifications.channels.answer import kept_words
from notifications.delivery.log import ENDED
from notifications.models import WebhookDelivery
from notifications.webhooks.signing import Request

KEEP = 30
"""Entries; older ones are dropped."""
UNCOUNTED = {"parked", "released"}
"""Ends of attempts that were no try: the next one has the same number."""
MASKED = {"webhook-signature", "signature", "authorization"}


@dataclass(frozen=True)
class Attempt:
    """One line of the log."""

    number: int
    at: datetime | None
    seconds: float | None
    label: str | Promise
    colour: str
    status: int | None
    words: str
    url: str
    headers: list[tuple[str, str]]
    times: int
    """The number of equal entries in a row, for waits."""


def sent(request: Request, *, at: datetime, seconds: float, status: int | None) -> dict[str, Any]:
    """Return what a log keeps of a request and its answer, besides the answer's words."""
    return {
        "at": at.isoformat(),
        "seconds": round(seconds, 3),
        "status": status,
        "url": request.url,
        "headers": [
            [name, mask(value) if name.lower() in MASKED else value]
            for name, value in request.headers.items()
        ],
    }


def mask(value: str) -> str:
    """Return the beginning of a signature, by which two can be told apart."""
    return f"{value[:7]}…"


def logged(delivery: WebhookDelivery, *, ended: str, words: str) -> list[dict[str, Any]]:
    """Return the log with the claimed attempt, which ends now."""
    log = list(delivery.attempts_log)
    last = log[-1] if log else {}
    entry = {
        "ended": ended,
        "number": _number(delivery.attempts, last),
        "attempt": delivery.attempts,
        "words": kept_words(words),
    }
    entry |= delivery.sent or {}
    if ended == "parked" and (last.get("ended"), last.get("words")) == (ended, entry["words"]):
        log.pop()
        entry["times"] = last.get("times", 1) + 1
    return [*log, entry][-KEEP:]


def _number(attempt: int, last: dict[str, Any]) -> int:
    """Return the number of an attempt behind the log's last entry; a replay numbers on.

    `attempt` is counted anew by each replay.
    """
    if not last:
        return attempt
    uncounted = last["ended"] in UNCOUNTED
    before = last.get("attempt", last["number"]) - uncounted
    number: int = last["number"] - uncounted
    return number + (attempt - before if attempt > before else attempt)


def read_attempts(delivery: WebhookDelivery) -> Iterator[Attempt]:
    """Yield the delivery's attempts, oldest first."""
    for entry in delivery.attempts_log:
        label, colour = ENDED.get(entry["ended"], (entry["ended"], ""))
        yield Attempt(
            number=entry["number"],
            at=parse_datetime(entry.get("at") or ""),
            seconds=entry.get("seconds"),
            label=label,
            colour=colour,
            status=entry.get("status"),
            words=entry["words"],
            url=entry.get("url", ""),
            headers=[(name, value) for name, value in entry.get("headers", ())],
            times=entry.get("times", 1),
        )
