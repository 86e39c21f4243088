"""Messages: each step's e-mails and SMS with their texts, attempts and receipts.

Nothing here is sent: all are finished, but for up to MOST_PARKED e-mails to reserved domains that
wait, as if the mail server had been down at the end of the history. A relay sends these, which in
a local shop go to its mailbox.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, cast

from django.conf import settings
from django.db.backends.utils import CursorWrapper

from notifications.channels.email import sender_domain
from notifications.delivery.gateways import gateways
from notifications.events import EVENTS
from notifications.models import FINAL, MessageHtml, Notification
from orders.demo.orders.copying import NULL, Copied, ready, ready_json, uuid7
from orders.demo.orders.json_text import encode, joined
from orders.demo.orders.life import Life
from orders.demo.orders.rows.attempts import Attempts
from orders.demo.orders.rows.jobs import COLUMNS, Finished
from orders.demo.orders.shown import Shown, shown_of_order
from orders.demo.orders.weighted import Weighted
from orders.demo.orders.wording import Templates
from orders.lifecycle.payouts import owed_context
from orders.lifecycle.steps import MESSAGES

EMAIL, SMS = "email", "sms"
EVENT_OF = {"placed": "order_placed", **{kind.value: event for kind, event in MESSAGES.items()}}
"""The event of a step's messages."""
ASKS_FOR_ONE = {"order_placed"}
"""The events whose templates differ for one unit and for several."""
MOST_PARKED = 100
ENDS = ("sent", "refused", "tried in vain", "buried", "unknown")
SHARES = [0.9937, 0.004, 0.001, 0.0003, 0.001]
TRIED_AGAIN = 0.03
"""The share of attempts that are refused for the time being."""
BOUNCED, COMPLAINED = 0.006, 0.0003
"""The shares of the delivered e-mails of which the provider reports that later."""

_MESSAGES = Copied(
    Notification,
    (
        *COLUMNS,
        *("event", "occasion", "channel", "recipient", "language", "subject", "text"),
        *("provider_id", "gateway", "maybe_duplicate", "attempts_log"),
        *("delivery", "delivery_at", "delivery_reason"),
    ),
)
_HTML = Copied(MessageHtml, ("message_id", "html"))


@dataclass(slots=True)
class _Letter:
    """A message before its sending."""

    order_id: str | None
    event: str
    occasion: str
    at: datetime
    channel: str
    recipient: str
    language: str
    context: str
    """JSON."""
    shown: Shown
    shape: tuple[Any, ...]
    is_parked: bool = False


@dataclass
class Outbox:
    """Writes the messages of lives."""

    until: datetime
    office: str
    """The address that the shop's staff read."""
    parked_from: int
    """The position of the first order whose first e-mail waits."""
    templates: Templates = field(default_factory=Templates)

    def __post_init__(self) -> None:
        known = gateways(SMS)
        self.sms_gateway = known[0].name if known else "sms:gateway.example"
        self.domain = sender_domain()
        self.html_since = self.until - timedelta(days=settings.KEEP_MESSAGE_HTML_DAYS)
        self._ends = Weighted(ENDS, SHARES)
        self._hours = settings.PAYMENT_DUE_HOURS

    def write(self, cursor: CursorWrapper, lives: Sequence[Life], random: Random) -> list[Finished]:
        sent: list[Finished] = []
        html: list[tuple[str, str]] = []
        letters = (letter for life in lives for letter in self._letters(life))
        _MESSAGES.write_ready(cursor, (self._row(letter, random, sent, html) for letter in letters))
        _HTML.write_ready(cursor, html)
        return sent

    def _letters(self, life: Life) -> Iterator[_Letter]:
        order, shopper = life.order, life.shopper
        ones = tuple([line.quantity == 1 for line in life.lines])
        is_quoted = bool(order.delivery)
        of_order = shown_of_order(life, hours=self._hours)
        for step in life.steps:
            event = EVENT_OF.get(step.kind)
            if event is None or event in shopper.muted:
                continue
            rule = EVENTS[event]
            more = step.detail
            if rule.may_opt_out and shopper.user_id:
                more = more | {"unsubscribe_url": shopper.unsubscribe_url(event)}
            context = life.first_context if event == "order_placed" else life.context
            if more:
                context = joined(context, encode(more))
            lines = ones if event in ASKS_FOR_ONE else len(ones)
            waits = event == "order_placed" and life.position >= self.parked_from
            details, shown = _shape(more), Shown(order.currency, more, of_order)
            for channel in (each.value for each in rule.channels):
                if recipient := order.email if channel == EMAIL else order.phone:
                    yield _Letter(
                        order_id=order.pk,
                        event=event,
                        occasion=step.occasion,
                        at=step.at,
                        channel=channel,
                        recipient=recipient,
                        language=order.language,
                        context=context,
                        shown=shown,
                        # What the templates ask of the values: see `wording`. No SMS has lines.
                        shape=(
                            (lines, is_quoted, bool(order.address), *details)
                            if channel == EMAIL
                            else (None, *details)
                        ),
                        is_parked=waits and channel == EMAIL,
                    )
        for refund in life.refunds:
            owed = {
                "shop_name": settings.SHOP_NAME,
                **owed_context(cast(Any, refund), cast(Any, order)),
            }
            yield _Letter(
                order_id=None,
                event="refund_owed",
                occasion=refund.id,
                at=refund.at,
                channel=EMAIL,
                recipient=self.office,
                language=settings.LANGUAGE_CODE,
                context=encode(owed),
                shown=Shown(order.currency, owed),
                shape=_shape(owed),
            )

    def _row(
        self,
        letter: _Letter,
        random: Random,
        sent: list[Finished],
        html: list[tuple[str, str]],
    ) -> tuple[Any, ...]:
        job = uuid7(int(letter.at.timestamp() * 1000), random.getrandbits(74))
        end = self._end(job, letter, random)
        sent.append(Finished(job, end.ended, end.failure))
        finished = end.ended.finished_at or self.until
        wording = self.templates.word(
            shape=letter.shape,
            event=letter.event,
            channel=letter.channel,
            language=letter.language,
            context=letter.context,
            shown=letter.shown,
            ones_differ=letter.event in ASKS_FOR_ONE,
            # As pruning leaves it (`notifications.delivery.stored_html`).
            with_html=end.ended.status not in FINAL or finished > self.html_since,
        )
        if wording.html:
            html.append((job, ready(wording.html)))
        kind = f"{letter.event}.{letter.channel}"
        return (
            *end.ended.values(job, letter.order_id, kind, letter.context, letter.at),
            *(letter.event, letter.occasion, letter.channel, letter.recipient, letter.language),
            *(ready(wording.subject), ready(wording.text)),
            *(end.provider_id, end.gateway, end.maybe_duplicate, ready_json(end.log)),
            *(end.delivery, end.delivery_at or NULL, end.delivery_reason),
        )

    def _end(self, job: str, letter: _Letter, random: Random) -> Attempts:
        channel, recipient = letter.channel, letter.recipient
        gateway = EMAIL if channel == EMAIL else self.sms_gateway
        end = Attempts(gateway, letter.at + timedelta(seconds=random.uniform(0.1, 1.2)), random)
        if letter.is_parked:
            return end.park("mail server: [Errno 111] Connection refused")
        fate = self._ends.draw(random)
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
        while random.random() < TRIED_AGAIN:
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
    if fate < BOUNCED:
        return "bounced", "550 5.1.1 The mailbox does not exist"
    return ("complained", "abuse") if fate < BOUNCED + COMPLAINED else ("", "")


def _reported_sms(random: Random) -> tuple[str, str]:
    fate = random.random()
    if fate < 0.92:
        return "delivered", ""
    return ("bounced", "absent subscriber") if fate < 0.95 else ("", "")
