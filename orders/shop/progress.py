"""The progress of an order's jobs, in the shopper's words. The order's page polls it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from media_jobs.models import MediaJob, Rendition
from media_jobs.recipes import PICKUP_PASS
from notifications.events import EVENTS
from notifications.models import Notification
from orders.models import Order
from orders.placing.payment_choice import AT_PICKUP
from orders.shop.payment import PaymentState, read_payment
from orders.shop.progress_version import read_version
from orders.shop.stages import Stages, stages_of
from orders.shop.tracking import Parcel, parcel_of
from project.email_addresses import readable_address
from project.jobs.model import Job
from project.jobs.queryset import Status
from project.text import isolate

# The page's polling interval in seconds, by the order's age, or by the time since the customer
# came back from a bank that hasn't answered. Jobs take seconds, so a job that is open after a
# minute waits for a service or an operator. After an hour the page stops polling. In a rush jobs
# take longer, and many pages wait: so they ask less often after ten seconds.
POLL_INTERVALS = (
    (timedelta(seconds=6), 1),
    (timedelta(minutes=1), 4),
    (timedelta(minutes=10), 5),
    (timedelta(hours=1), 30),
)


Tone = Literal["waiting", "running", "done", "failed"]
"""The look of a step."""
FINISHED = ("done", "failed")
CANCELLED_OR_REFUNDED = (Order.Status.CANCELLED, Order.Status.REFUNDED)


@dataclass(frozen=True)
class Step:
    """One job as the shopper sees it."""

    icon: str
    title: str
    text: str
    tone: Tone
    percent: int = 0
    preview: dict[str, Rendition] | None = None
    """The preview of a finished print file, by format."""


@dataclass(frozen=True)
class Progress:
    order: Order
    version: str
    """Of everything that the page shows."""
    steps: list[Step]
    pictures: dict[str, Rendition]
    """The finished pickup pass by format; empty without a pickup."""
    payment: PaymentState
    stages: Stages
    parcel: Parcel | None
    poll_seconds: int | None
    """Seconds until the page polls again; None: it stops polling."""

    @property
    def is_cancelled_or_refunded(self) -> bool:
        """Return True if the order is cancelled or refunded: nothing is handed over any more."""
        return self.order.status in CANCELLED_OR_REFUNDED

    @property
    def has_pass(self) -> bool:
        """Return True if the shopper picks the order up and needs a pass."""
        return not self.is_cancelled_or_refunded and not self.order.address

    @property
    def is_unpaid(self) -> bool:
        """Return True if the order waits for its payment before it is packed."""
        waits = self.order.status == Order.Status.PLACED and self.payment.due > 0
        return waits and self.payment.chosen != AT_PICKUP

    @property
    def is_finished(self) -> bool:
        return all(step.tone in FINISHED for step in self.steps)

    @property
    def headline(self) -> str:
        """Return the state in one sentence; screen readers announce it."""
        done = sum(step.tone == "done" for step in self.steps)
        if not self.is_finished:
            return _("%(done)d of %(all)d done") % {"done": done, "all": len(self.steps)}
        if done < len(self.steps) and self.is_cancelled_or_refunded:
            return _("Not everything worked")
        if done < len(self.steps):
            return _("Your order stands, but not everything worked")
        if self.is_unpaid:
            return _("Everything is sent. We wait for your payment.")
        return _("All done")


def read_progress(order_id: UUID, *, now: datetime) -> Progress:
    """Return the progress of the order's jobs and its payment. Raises Http404."""
    version = version_of(order_id, now=now)  # before the rest: what changes meanwhile is news
    order = get_object_or_404(Order, pk=order_id)
    messages = cast(
        "QuerySet[Notification]",
        Notification.objects.filter(order_id=order_id).order_by("created_at", "channel"),
    )
    made = MediaJob.objects.filter(order_id=order_id).order_by("created_at", "source")
    media = list(made.prefetch_related("renditions"))
    is_cancelled_or_refunded = order.status in CANCELLED_OR_REFUNDED
    pickup_pass = next((job for job in media if job.recipe == PICKUP_PASS.name), None)
    if is_cancelled_or_refunded or order.address:
        pickup_pass = None
    steps = [
        _message_step(message, is_cancelled_or_refunded=is_cancelled_or_refunded)
        for message in messages
    ]
    steps += [
        _print_step(job) for job in media if job.kind == "print" and job.status != Status.CANCELLED
    ]
    if pickup_pass and pickup_pass.status != Status.CANCELLED:
        steps.append(_pass_step(pickup_pass))
    payment = read_payment(order)
    parcel = parcel_of(order)
    waits = [] if payment.waits_since is None else [payment.waits_since]
    if any(step.tone not in FINISHED for step in steps):
        waits.append(now - order.placed_at)
    return Progress(
        order=order,
        version=version,
        steps=steps,
        pictures=_pictures(pickup_pass),
        payment=payment,
        stages=stages_of(order, payment, parcel),
        parcel=parcel,
        poll_seconds=_poll_seconds(min(waits)) if waits else None,
    )


def version_of(order_id: UUID, *, now: datetime) -> str:
    """Return the version of what the page shows, in one query. Raises Http404."""
    return read_version(order_id, now=now, steps=[until for until, _seconds in POLL_INTERVALS])


def pass_pictures(order: Order) -> dict[str, Rendition]:
    """Return the finished pickup pass by format, or nothing; a delivery has no pass."""
    if order.status in CANCELLED_OR_REFUNDED or order.address:
        return {}
    drawn = MediaJob.objects.filter(order_id=order.pk, recipe=PICKUP_PASS.name)
    return _pictures(drawn.prefetch_related("renditions").first())


def _pictures(job: MediaJob | None) -> dict[str, Rendition]:
    if job is None or job.status != Status.DONE:
        return {}
    return {rendition.format: rendition for rendition in job.renditions.all()}


def _poll_seconds(age: timedelta) -> int | None:
    return next((seconds for until, seconds in POLL_INTERVALS if age < until), None)


def _message_step(message: Notification, *, is_cancelled_or_refunded: bool) -> Step:
    """Return the state of an e-mail or SMS. Its error is for the operator and not shown."""
    recipient = {"recipient": isolate(readable_address(message.recipient))}
    match _tone(message), message.status:
        case "waiting", _status if message.attempts:
            text = _("Not delivered to %(recipient)s yet. We keep trying.")
        case "waiting", _status:
            text = _("To %(recipient)s, in a moment")
        case "running", _status:
            text = _("Being sent to %(recipient)s")
        case "done", _status:
            text = _("Sent to %(recipient)s")
        case "failed", Status.CANCELLED:
            text = _("Not sent")
        case "failed", Status.UNKNOWN:
            text = _("Perhaps sent to %(recipient)s: we couldn't make sure.")
        case _ if is_cancelled_or_refunded:
            text = _("We couldn't reach %(recipient)s.")
        case _:
            text = _("We couldn't reach %(recipient)s. Your order stands all the same.")
    event = EVENTS[message.event].label if message.event in EVENTS else message.event
    return Step(
        icon=message.channel,
        title=f"{event} · {message.get_channel_display()}",
        text=text % recipient,
        tone=_tone(message),
    )


def _pass_step(job: MediaJob) -> Step:
    match _tone(job):
        case "waiting":
            text = _("We draw it in a moment")
        case "running":
            text = _("Being drawn")
        case "done":
            text = _("Ready: show it when you pick up your order")
        case _:
            text = _("It couldn't be drawn. Your order number is enough.")
    return Step(
        icon="pass",
        title=_("Pickup pass"),
        text=text,
        tone=_tone(job),
        percent=job.progress if job.status == Status.RUNNING else 0,
    )


def _print_step(job: MediaJob) -> Step:
    """Return the state of an upload's print file. Its error is for the operator and not shown."""
    about = {name: isolate(job.context[name]) for name in ("name", "product")}
    match _tone(job):
        case "waiting":
            text = _("%(name)s: we prepare it in a moment")
        case "running":
            text = _("%(name)s is being prepared for printing")
        case "done":
            text = _("%(name)s is ready for printing")
        case _:
            text = _("We couldn't use %(name)s. Your order stands, and we'll write to you.")
    is_made = job.status == Status.DONE
    return Step(
        icon="picture",
        title=_("Your file for %(product)s") % about,
        text=text % about,
        tone=_tone(job),
        percent=job.progress if job.status == Status.RUNNING else 0,
        preview={made.format: made for made in job.renditions.all() if made.name == "preview"}
        if is_made
        else None,
    )


def _tone(job: Job) -> Tone:
    match job.status:
        case Status.QUEUED:
            return "waiting"
        case Status.RUNNING:
            return "running"
        case Status.DONE:
            return "done"
        case _:
            return "failed"
