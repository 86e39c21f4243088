"""Everything that happened to an order, in one list by time: the desk's timeline.

Events, movements of stock, messages with their texts, media jobs with their pictures, what
operators decided about these, and notes.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template import VariableDoesNotExist
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.events import EVENTS
from notifications.models import Notification
from notifications.rendering import render
from orders.lifecycle.corrections import LABELS
from orders.lifecycle.timeline import event_entry
from orders.models import Order, OrderEvent
from orders.placing.by_operator import kept_prices
from project.address_rules import printed_address
from project.desk.decision_log import decisions_of_order
from project.desk.job_decisions import Button
from project.desk.jobs import COLOURS, JobAdmin, job_admins
from project.email_addresses import readable_address
from project.jobs.model import Job, job_models
from project.templatetags.money import money
from project.text import isolate

UNREADABLE = (LookupError, TypeError, ValueError, ArithmeticError, VariableDoesNotExist)
"""What the rendering of an incomplete context, such as that of an older version, raises."""
PARCEL = (OrderEvent.Kind.SHIPPED, OrderEvent.Kind.PARCEL_CORRECTED)


@dataclass(frozen=True)
class Happening:
    """One entry of the timeline."""

    when: datetime
    title: str | Promise
    kind: str
    """The entry's look: event, stock, message, media, decision or note."""
    note: str = ""
    reason: str = ""
    error: str = ""
    """Of the job, or of the one that was decided about: a program's words."""
    user: Any = None
    text: str = ""
    """What can be unfolded, such as a message's text."""
    subject: str = ""
    status: str = ""
    colour: str = ""
    url: str = ""
    job: Job | None = None
    thumbnail: str = ""
    pictures: list[tuple[str, str]] = field(default_factory=list)
    decisions: list[Button] = field(default_factory=list)
    is_parcel: bool = False
    """The note is the parcel that the order went by."""


def read_happenings(order: Order, request: HttpRequest, *, site: AdminSite) -> list[Happening]:
    """Return what happened to the order, the oldest first."""
    jobs = list(_jobs(order, request, site))
    found = [*_events(order), *_movements(order), *_notes(order), *jobs, *_decisions(order, jobs)]
    return sorted(found, key=lambda each: each.when)  # stable: an event before its effects


def _events(order: Order) -> Iterable[Happening]:
    for event in order.events.select_related("user"):
        entry = event_entry(event, order.currency)
        told = TOLD.get(event.kind)
        reason = str(event.detail.get("reason", ""))
        yield Happening(
            when=entry.when,
            title=entry.title,
            kind="event",
            note=told(event, order) if told else entry.note,
            reason="" if isolate(reason) == entry.note else reason,
            user=entry.user,
            is_parcel=event.kind in PARCEL,
        )


def _priced(event: OrderEvent, order: Order) -> str:
    """Return each price by hand with the shop's and the reason, a line each."""
    return "\n".join(
        _("%(product)s: %(price)s by hand instead of %(shop_price)s – %(reason)s")
        % {
            "product": isolate(kept.name),
            "price": money(kept.price, order.currency),
            "shop_price": money(kept.shop_price, order.currency),
            "reason": isolate(kept.reason),
        }
        for kept in kept_prices(event)
    )


def _corrected(event: OrderEvent, order: Order) -> str:
    """Return each corrected field with its old and new value, a line each."""
    old, new = event.detail["old"], event.detail["new"]
    return "\n".join(
        _("%(field)s: %(old)s → %(new)s")
        % {
            "field": LABELS[name],
            "old": isolate(_in_words(name, old[name])),
            "new": isolate(_in_words(name, new[name])),
        }
        for name in LABELS
        if name in new
    )


TOLD: dict[str, Callable[[OrderEvent, Order], str]] = {
    OrderEvent.Kind.PLACED: _priced,
    OrderEvent.Kind.CORRECTED: _corrected,
}
"""The events whose detail the desk tells more of than the shop."""


def _in_words(name: str, value: Any) -> str:
    if name == "email":
        return readable_address(value)
    if name == "address":
        return ", ".join(printed_address(value))
    return str(value) or "–"


def _movements(order: Order) -> Iterable[Happening]:
    rows = order.movements.select_related("product", "user").order_by("created_at", "pk")
    for (when, kind), group in groupby(rows, key=lambda row: (row.created_at, row.kind)):
        moved = list(group)
        total = sum(row.quantity for row in moved)
        says = ngettext("Stock: %(units)s unit", "Stock: %(units)s units", abs(total))
        yield Happening(
            when=when,
            title=says % {"units": f"{total:+d}".replace("-", "−")},
            kind="stock",
            note=", ".join(f"{abs(row.quantity)} × {isolate(row.product.name)}" for row in moved),
            user=moved[0].user if kind != moved[0].Kind.ORDER else None,
        )


def _notes(order: Order) -> Iterable[Happening]:
    for note in order.notes.select_related("user"):
        yield Happening(
            when=note.created_at, title=_("Note"), kind="note", note=note.text, user=note.user
        )


def _jobs(order: Order, request: HttpRequest, site: AdminSite) -> Iterable[Happening]:
    for desk in job_admins(site):
        for job in desk.for_order(order.pk):
            yield _job(desk, request, job)


def _job(desk: JobAdmin, request: HttpRequest, job: Job) -> Happening:
    name = f"admin:{desk.opts.app_label}_{desk.opts.model_name}_change"
    subject, text = _words(job) if isinstance(job, Notification) else ("", "")
    kind = "message" if isinstance(job, Notification) else "media"
    return Happening(
        when=job.created_at,
        title=desk.summary(job),
        kind=kind,
        job=job,
        subject=subject,
        text=text,
        status=str(job.get_status_display()),
        colour=COLOURS[job.status],
        url=reverse(name, args=[job.pk]) if desk.has_view_permission(request) else "",
        pictures=desk.pictures(job),
        thumbnail=desk.thumbnail(job),
        error=job.error,
        decisions=desk.decisions_for(request, job),
    )


def _decisions(order: Order, jobs: list[Happening]) -> Iterable[Happening]:
    """Yield what operators decided about the order's jobs; a pruned job is named by its kind."""
    known = {each.job.pk: each for each in jobs if each.job}
    kinds = {model.app: model._meta.verbose_name for model in job_models()}
    for decision in decisions_of_order(order.pk):
        about = known.get(decision.job_id)
        title = about.title if about else capfirst(str(kinds.get(decision.app, decision.app)))
        yield Happening(
            when=decision.decided_at,
            title=f"{_(decision.label)}: {title}",
            kind="decision",
            reason=decision.reason,
            error=decision.error,
            user=decision.user,
            url=about.url if about else "",
        )


def _words(message: Notification) -> tuple[str, str]:
    """Return the message's subject and text, as it was sent or as it would be."""
    if message.text:
        return message.subject, message.text
    try:
        words = render(message) if message.event in EVENTS else None
    except UNREADABLE:  # the page is shown without it; its attempt will say what is wrong
        words = None
    return (words.subject, words.text) if words else ("", "")
