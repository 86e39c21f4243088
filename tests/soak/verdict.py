"""The verdict: the soak's record of answers, compared with the books and the mailbox."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from statistics import quantiles
from typing import Any
from uuid import UUID

from tests.soak.record import Disturbance, Purchase, Record

AFTER = 2.0
"""Seconds after a fault in which an order still counts as placed during it."""
BEFORE = 5.0
NEVER = 1e12
TARGET_P99 = 60.0
"""Seconds."""


@dataclass(frozen=True)
class Sent:
    """A message as the shop's own books show it."""

    id: str
    channel: str
    provider_id: str
    status: str
    maybe_duplicate: bool
    order_id: UUID | None
    finished: float | None


@dataclass
class Books:
    """What the shop's database says at the end."""

    orders: set[UUID]
    messages: list[Sent]
    media: list[tuple[UUID | None, str, float | None]]
    """(order, status, when finished) of each media job."""
    renditions: int
    available_below_zero: int
    audit: str
    """What `manage.py audit` printed."""
    audit_is_clean: bool


@dataclass
class Verdict:
    figures: dict[str, Any] = field(default_factory=dict)
    recoveries: list[tuple[Disturbance, float]] = field(default_factory=list)
    """Seconds from each fault's end until all that was ordered before or during it was done."""
    broken: list[str] = field(default_factory=list)
    """The promises that weren't kept."""


def read_books(*, audit: str, audit_is_clean: bool) -> Books:
    """Read the shop's database through the ORM. Django must be set up for it."""
    from django.db import connections

    from media_jobs.models import MediaJob, Rendition
    from notifications.models import Notification
    from orders.models import Order, Stock

    connections.close_all()  # this thread's may have died in one of the faults
    return Books(
        orders=set(Order.objects.values_list("pk", flat=True)),
        messages=[
            Sent(str(pk), channel, provider_id, status, doubt, order_id, _seconds(finished))
            for pk, channel, provider_id, status, doubt, order_id, finished in (
                Notification.objects.values_list(
                    "pk",
                    "channel",
                    "provider_id",
                    "status",
                    "maybe_duplicate",
                    "order_id",
                    "finished_at",
                )
            )
        ],
        media=[
            (order_id, status, _seconds(finished))
            for order_id, status, finished in MediaJob.objects.values_list(
                "order_id", "status", "finished_at"
            )
        ],
        renditions=Rendition.objects.count(),
        available_below_zero=Stock.objects.filter(available__lt=0).count(),
        audit=audit,
        audit_is_clean=audit_is_clean,
    )


def judge(record: Record, books: Books, copies: Counter[str]) -> Verdict:
    """Compare; every difference is a sentence in `broken`."""
    verdict = Verdict()
    answered = [purchase for purchase in record.purchases if purchase.order_ids]
    answered_ids = {order_id for purchase in answered for order_id in purchase.order_ids}
    lost = answered_ids - books.orders
    doubled = [purchase for purchase in answered if len(purchase.order_ids) > 1]
    odd = [p for p in record.purchases if p.refusal not in ("", "out_of_stock")]
    unclear = [purchase for purchase in record.purchases if purchase.answered is None]
    unanswered_orders = books.orders - answered_ids
    seen = {message.id: _copies(message, copies) for message in books.messages}
    unsent = [message for message in books.messages if message.status != "done"]
    missing = [m for m in books.messages if m.status == "done" and not seen[m.id]]
    second = [message for message in books.messages if seen[message.id] > 1]
    unmarked = [message for message in second if not message.maybe_duplicate]
    open_media = [job for job in books.media if job[1] != "done" and job[1] != "cancelled"]
    done_at = _done_at(answered, books)
    waits = sorted(
        done_at[order_id] - begun
        for order_id, begun in _begun(answered).items()
        if order_id in done_at
    )
    verdict.recoveries = [
        (fault, _recovery(fault, answered, done_at)) for fault in record.disturbances
    ]
    recovery_p99 = _percentile([seconds for _fault, seconds in verdict.recoveries], 99)
    verdict.figures = {
        "Faults": len(record.disturbances),
        "Orders sent": len(record.purchases),
        "… answered as placed": len(answered),
        "… refused as sold out": sum(p.refusal == "out_of_stock" for p in record.purchases),
        "… without a clear answer in two minutes": len(unclear),
        "POSTs, with repeats": len(record.answers),
        "Orders in the books": len(books.orders),
        "Orders lost": len(lost),
        "Orders doubled": len(doubled),
        "Products oversold": books.available_below_zero,
        "Messages": len(books.messages),
        "Messages lost": len(missing) + len(unsent),
        "Second copies, all marked": len(second) - len(unmarked),
        "Second copies, not marked": len(unmarked),
        "Media jobs": len(books.media),
        "… not done": len(open_media),
        "Renditions": books.renditions,
        "Order to all done, p50 / p99 / max (s)": " / ".join(
            f"{_percentile(waits, part):.1f}" for part in (50, 99, 100)
        ),
        "Recovery p50 / p99 / max (s)": " / ".join(
            f"{_percentile([s for _f, s in verdict.recoveries], part):.1f}"
            for part in (50, 99, 100)
        ),
        "Audit": "clean" if books.audit_is_clean else "drift",
    }
    wrong = {
        f"{len(lost)} orders were answered and are not in the books": lost,
        f"{len(doubled)} keys have more than one order": doubled,
        f"{len(unanswered_orders)} orders exist that no shopper was told of": [
            order_id for order_id in unanswered_orders if not unclear
        ],
        f"{books.available_below_zero} products are oversold": books.available_below_zero,
        f"{len(unsent)} messages are not done": unsent,
        f"{len(missing)} messages are done but never arrived": missing,
        f"{len(unmarked)} second copies are not marked": unmarked,
        f"{len(open_media)} media jobs are not done": open_media,
        f"{len(unclear)} orders had no clear answer in two minutes": unclear,
        f"recovery p99 is {recovery_p99:.1f} s": recovery_p99 > TARGET_P99,
        f"{len(odd)} orders were refused as {odd[0].refusal if odd else ''}": odd,
        "the audit found drift": not books.audit_is_clean,
        "no order was placed": not answered,
    }
    verdict.broken = [sentence for sentence, is_wrong in wrong.items() if is_wrong]
    return verdict


def _copies(message: Sent, copies: Counter[str]) -> int:
    return copies[message.id if message.channel == "email" else message.provider_id]


def _begun(answered: list[Purchase]) -> dict[UUID, float]:
    return {order_id: p.begun for p in answered for order_id in p.order_ids}


def _done_at(answered: list[Purchase], books: Books) -> dict[UUID, float]:
    """When the shopper had the answer and all that the placing itself queued was done."""
    done = {order_id: p.answered or p.begun for p in answered for order_id in p.order_ids}
    for order_id, status, finished in books.media:
        if order_id in done and status != "cancelled":
            done[order_id] = max(done[order_id], finished or NEVER)
    first: dict[tuple[UUID, str], float] = {}
    for message in books.messages:
        if message.order_id in done:
            key = (message.order_id, message.channel)
            first[key] = min(first.get(key, NEVER), message.finished or NEVER)
    for (order_id, _channel), finished in first.items():
        done[order_id] = max(done[order_id], finished)
    return done


def _recovery(fault: Disturbance, answered: list[Purchase], done_at: dict[UUID, float]) -> float:
    touched = [
        done_at[order_id]
        for purchase in answered
        for order_id in purchase.order_ids
        if fault.began - BEFORE <= purchase.begun <= fault.ended + AFTER
    ]
    return max(0.0, max(touched, default=0.0) - fault.ended)


def _percentile(values: list[float], part: int) -> float:
    if not values:
        return 0.0
    if part == 100 or len(values) == 1:
        return max(values)
    return quantiles(values, n=100, method="inclusive")[part - 1]


def _seconds(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
