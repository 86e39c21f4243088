"""Messages: each step's e-mails and SMS with their texts, attempts and receipts.

Nothing here is sent: all are finished, but for up to MOST_PARKED e-mails to reserved domains that
wait, as if the mail server had been down at the end of the history. A relay sends these, which in
a local shop go to its mailbox.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.backends.utils import CursorWrapper

from notifications.channels.email import sender_domain
from notifications.delivery.gateways import gateways
from notifications.events import EVENTS
from notifications.models import FINAL, Notification
from orders.demo.orders.copying import Copied, uuid7
from orders.demo.orders.lives import Life
from orders.demo.orders.rows.jobs import COLUMNS, LEASE, Ended, Finished
from orders.demo.orders.wording import Patterns, Shown, values_of
from orders.lifecycle.steps import MESSAGES
from orders.models import OrderEvent
from project.jobs.queryset import MAX_ATTEMPTS, MAX_LOST, PARKED

EMAIL, SMS = "email", "sms"
ASKS_FOR_ONE = {"order_placed"}
"""The events whose templates differ for one unit and for several."""
MOST_PARKED = 100
ENDS = ("sent", "refused", "tried in vain", "buried", "unknown")
SHARES = [0.9937, 0.004, 0.001, 0.0003, 0.001]
FORGOTTEN_AFTER = timedelta(days=60)
"""Older failed messages were cancelled by an operator."""

_MESSAGES = Copied(
    Notification,
    (
        *COLUMNS,
        *("event", "occasion", "channel", "recipient", "language", "subject", "text", "html"),
        *("provider_id", "gateway", "maybe_duplicate", "attempts_log"),
        *("delivery", "delivery_at", "delivery_reason"),
    ),
)


@dataclass
class Outbox:
    """Writes the messages of lives."""

    until: datetime
    parked_from: int
    """The position of the first order whose first e-mail waits."""
    patterns: Patterns = field(default_factory=Patterns)

    def __post_init__(self) -> None:
        known = gateways(SMS)
        self.sms_gateway = known[0].name if known else "sms:gateway.example"
        self.domain = sender_domain()
        self.html_since = self.until - timedelta(days=settings.KEEP_MESSAGE_HTML_DAYS)

    def write(self, cursor: CursorWrapper, lives: Sequence[Life], random: Random) -> list[Finished]:
        sent: list[Finished] = []
        _MESSAGES.write(cursor, (row for life in lives for row in self._of(life, random, sent)))
        return sent

    def _of(self, life: Life, random: Random, sent: list[Finished]) -> Iterator[tuple[Any, ...]]:
        order = life.order
        base, whole = life.context, life.context_json
        shown = values_of(base, language=order.language, currency=order.currency)
        count = len(life.lines)
        ones = tuple(line.quantity == 1 for line in life.lines)
        for step in life.steps:
            event = (
                "order_placed"
                if step.kind == "placed"
                else MESSAGES.get(OrderEvent.Kind(step.kind))
            )
            if event is None or event in life.shopper.muted:
                continue
            more = dict(step.detail)
            if EVENTS[event].may_opt_out and life.shopper.user_id:
                more["unsubscribe_url"] = life.shopper.unsubscribe_url(event)
            context, full = base, whole
            shape: tuple[Any, ...] = ones if event in ASKS_FOR_ONE else (count,)
            words = shown
            if more:
                context = base | more
                full = f"{whole[:-1]}, {json.dumps(more)[1:]}"
                added = values_of(more, language=order.language, currency=order.currency)
                words = Shown(shown.plain | added.plain, shown.html | added.html)
                shape = (*shape, _shape(more))
            for channel in EVENTS[event].channels:
                recipient = order.email if channel == EMAIL else order.phone
                if not recipient:
                    continue
                at = step.at
                job = uuid7(int(at.timestamp() * 1000), random.getrandbits(74))
                is_parked = (
                    life.position >= self.parked_from and step.kind == "placed" and channel == EMAIL
                )
                end = self._end(job, channel.value, recipient, at, random, is_parked=is_parked)
                sent.append(Finished(job, end.ended, end.failure))
                ended = end.ended
                finished = ended.finished_at or self.until
                is_old = ended.status in FINAL and finished <= self.html_since
                wording = self.patterns.word(
                    shape=shape,
                    event=event,
                    channel=channel,
                    language=order.language,
                    context=context,
                    shown=words,
                    ones_differ=event in ASKS_FOR_ONE,
                    # As pruning leaves it (`notifications.delivery.old_html`).
                    with_html=not is_old,
                )
                yield (
                    *end.ended.values(job, order.pk, f"{event}.{channel.value}", full, at),
                    *(event, step.occasion, channel.value, recipient, order.language),
                    *(wording.subject, wording.text, wording.html),
                    *(end.provider_id, end.gateway, end.maybe_duplicate, json.dumps(end.log)),
                    *(end.delivery, end.delivery_at, end.delivery_reason),
                )

    def _end(
        self,
        job: UUID,
        channel: str,
        recipient: str,
        at: datetime,
        random: Random,
        *,
        is_parked: bool,
    ) -> "_End":
        gateway = EMAIL if channel == EMAIL else self.sms_gateway
        end = _End(gateway, at + timedelta(seconds=random.uniform(0.1, 1.2)), random)
        if is_parked:
            return end.park("mail server: [Errno 111] Connection refused")
        fate = random.choices(ENDS, SHARES)[0]
        if fate == "refused":
            if channel == EMAIL:
                return end.refused(f"550 5.1.1 <{recipient}>: no such mailbox", self.until)
            return end.refused("400 number not in service", self.until)
        if fate == "tried in vain":
            return end.tried_in_vain("452 4.2.2 Mailbox full, try again later", self.until)
        if fate == "buried":
            return end.buried()
        if fate == "unknown" and channel == SMS:
            return end.unknown("no answer within 20 s")
        for _again in range(random.choices((0, 1, 2, 3), (970, 20, 7, 3))[0]):
            end.again("451 4.7.1 Greylisted, try again later")
        code = f"{random.getrandbits(40):010X}"
        if channel == EMAIL:
            return end.done(
                f"<{job}@{self.domain}>", f"250 2.0.0 Ok: queued as {code}", _reported_email(random)
            )
        return end.done(code, f'200 {{"id": "{code}"}}', _reported_sms(random))


def _shape(more: dict[str, Any]) -> tuple[Any, ...]:
    """Return what a template may ask of the details: what is empty, and how many items."""
    return tuple(
        len(value) if name == "items" else (name, bool(value)) for name, value in more.items()
    )


def _reported_email(random: Random) -> tuple[str, str]:
    """Return the receipt's state and reason; empty for most e-mails."""
    fate = random.random()
    if fate < 0.006:
        return "bounced", "550 5.1.1 The mailbox does not exist"
    return ("complained", "abuse") if fate < 0.0063 else ("", "")


def _reported_sms(random: Random) -> tuple[str, str]:
    fate = random.random()
    if fate < 0.92:
        return "delivered", ""
    return ("bounced", "absent subscriber") if fate < 0.95 else ("", "")


class _End:
    """The attempts of one message, and their end: the columns that are particular to it."""

    def __init__(self, gateway: str, started_at: datetime, random: Random) -> None:
        self.gateway = gateway
        self.provider_id = ""
        self.maybe_duplicate = False
        self.log: list[dict[str, Any]] = []
        self.delivery = self.delivery_reason = ""
        self.delivery_at: datetime | None = None
        self.failure = ""
        self._random = random
        self._started_at = started_at
        self._due: datetime | None = None
        self._attempts = 1
        self.ended = Ended("done", 1, started_at, None)

    def done(self, provider_id: str, answer: str, reported: tuple[str, str]) -> "_End":
        self.provider_id = provider_id
        result = json.dumps({"provider_id": provider_id, "answer": answer})
        self._finish("done", answer, result=result)
        self.delivery, self.delivery_reason = reported
        if self.delivery:
            assert self.ended.finished_at is not None
            self.delivery_at = self.ended.finished_at + timedelta(
                seconds=self._random.uniform(1, 900)
            )
        return self

    def refused(self, words: str, until: datetime) -> "_End":
        self.failure = "PermanentError"
        return self._fail(words, until)

    def tried_in_vain(self, words: str, until: datetime) -> "_End":
        """All attempts were refused for the time being."""
        self.failure = "TransientError"
        for _attempt in range(MAX_ATTEMPTS - 1):
            self.again(words)
        return self._fail(words, until)

    def _fail(self, words: str, until: datetime) -> "_End":
        self._finish("failed", words, error=words)
        if self._started_at < until - FORGOTTEN_AFTER:
            self.ended.status = "cancelled"  # by an operator: the reason stays
        return self

    def buried(self) -> "_End":
        words = f"worker died {MAX_LOST} times"
        self._attempts = MAX_LOST
        self._started_at += LEASE * (MAX_LOST - 1)
        self.maybe_duplicate = True
        for number in range(1, MAX_LOST):
            self.log.append({"ended": "lost", "number": number, "words": ""})
        self._finish("unknown", words, error=words, lost=MAX_LOST)
        return self

    def unknown(self, words: str) -> "_End":
        self.failure = "UnknownOutcomeError"
        self.maybe_duplicate = True
        self._finish("unknown", words, error=words)
        return self

    def park(self, words: str) -> "_End":
        self.failure = "NotNowError"
        self._log("parked", words, seconds=0.012)
        self.ended = Ended(
            "queued",
            0,
            self._started_at,
            None,
            words,
            ring_after=PARKED,
            run_after=self._started_at,
        )
        return self

    def again(self, words: str) -> None:
        """Log a failed attempt; the next one comes after a pause, as `backoff` has it."""
        self._log("again", words, seconds=0.2)
        pause = min(5 * 3 ** (self._attempts - 1), 3600)
        self._due = self._started_at + timedelta(seconds=pause * self._random.uniform(0.75, 1.25))
        self._started_at = self._due + timedelta(seconds=0.3)
        self._attempts += 1

    def _finish(
        self, status: str, words: str, *, error: str = "", lost: int = 0, result: str | None = None
    ) -> None:
        seconds = round(self._random.uniform(0.03, 0.6), 3)
        self._log(status, words, seconds=None if lost else seconds, lost=lost)
        self.ended = Ended(
            status=status,
            attempts=self._attempts,
            started_at=self._started_at,
            finished_at=self._started_at + timedelta(seconds=seconds),
            error=error,
            lost=lost,
            result=result,
            run_after=self._due,
        )

    def _log(self, ended: str, words: str, *, seconds: float | None, lost: int = 0) -> None:
        self.log.append(
            {
                "ended": ended,
                "number": self._attempts,
                "at": self._started_at.isoformat(),
                "seconds": seconds,
                "words": words,
                "lost": lost,
                "gateway": self.gateway.partition(":")[2],
            }
        )
