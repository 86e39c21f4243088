"""One step of many orders as a desk job: it names each order that refused it, with the reason.

The orders are those that the operator confirmed, whatever their filter matches by now. Each order
is its own transaction, and a repeated step changes nothing: a job whose worker died begins again.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from typing import Any
from uuid import UUID

from django.core.files.base import ContentFile
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.desk_jobs.progress import kept_if_cancelled, progress_callback, store_rows
from orders.lifecycle import transitions
from orders.lifecycle.errors import OrderBusy, TransitionError
from orders.models import DeskJob, User
from project.desk.spreadsheets import as_meant
from project.jobs.errors import PermanentError

MOST_ORDERS = 50_000
"""Orders of one job: some minutes of work."""
HEADER = ("order", "id", "reason")


@dataclass(frozen=True)
class BulkStep:
    """A step that needs no more than one reason for all orders."""

    label: str | Promise
    take: Callable[[UUID, User, str], Any]
    permission: str = "orders.change_order"
    needs_reason: bool = False


STEPS = {
    "mark_packed": BulkStep(
        gettext_lazy("Mark as packed"),
        lambda order_id, user, _reason: transitions.pack(order_id=order_id, user=user),
        permission="orders.pack_order",
    ),
    "mark_delivered": BulkStep(
        gettext_lazy("Mark as delivered"),
        lambda order_id, user, _reason: transitions.deliver(order_id=order_id, user=user),
    ),
    "cancel_orders": BulkStep(
        gettext_lazy("Cancel"),
        lambda order_id, user, reason: transitions.cancel(
            order_id=order_id, user=user, reason=reason
        ),
        needs_reason=True,
    ),
}


@dataclass(frozen=True)
class Refusal:
    """An order that refused the step."""

    number: str
    order_id: UUID
    reason: str


def pack_orders(orders: Iterable[tuple[UUID, str]]) -> ContentFile:
    """Return the file of these orders, ids with numbers, for a job."""
    return ContentFile("".join(f"{key} {number}\n" for key, number in orders).encode(), "orders")


def take_steps(job: DeskJob) -> dict[str, Any]:
    """Take the step of `context` (`step`, `reason`) with each order of the job's file."""
    step = STEPS[job.context["step"]]
    user = job.user
    if user is None or not user.is_active or not user.has_perm(step.permission):
        raise PermanentError(_("You may not change orders any more."))
    with job.file.open("rb") as file:
        lines = file.read().decode().splitlines()
    orders = [(UUID(key), number) for key, _space, number in (x.partition(" ") for x in lines)]
    on_progress = progress_callback(job)
    refusals: list[Refusal] = []
    busy: list[tuple[UUID, str]] = []
    reached = 0
    """The orders with which the step was tried; those that are `busy` are tried once more."""

    def take(order_id: UUID, number: str) -> None:
        try:
            step.take(order_id, user, job.context.get("reason", ""))
        except OrderBusy:
            raise
        except TransitionError as refusal:
            refusals.append(Refusal(number, order_id, str(refusal)))

    def result() -> dict[str, Any]:
        refused = len(refusals)
        return {"changed": reached - len(busy) - refused, "refused": refused}

    def store(*, left: Iterable[tuple[UUID, str]] = ()) -> None:
        not_reached = _("Not reached: the job was cancelled before.")
        rows = [(each.number, each.order_id, each.reason) for each in refusals]
        rows += [(number, order_id, not_reached) for order_id, number in left]
        store_rows(job, HEADER, rows, name="refused.csv")

    def left() -> list[tuple[UUID, str]]:
        return busy + orders[reached:]

    with kept_if_cancelled(
        job, lambda: store(left=left()), lambda: result() | {"left": len(left())}
    ):
        for order_id, number in orders:
            on_progress(reached, len(orders))
            try:
                take(order_id, number)
            except OrderBusy:
                busy.append((order_id, number))
            reached += 1
        while busy:  # somebody worked on them: by now that is over
            try:
                take(*busy[-1])
            except OrderBusy as refusal:
                refusals.append(Refusal(busy[-1][1], busy[-1][0], str(refusal)))
            busy.pop()
    store()
    return result()


def read_refusals(job: DeskJob) -> Iterator[Refusal]:
    """Yield the refusals of a job that has ended, in the order of the list."""
    with job.report.open("rb") as file:
        lines = csv.reader(TextIOWrapper(file, encoding="utf-8", newline=""))
        next(lines, None)  # the header
        for number, order_id, reason in lines:
            yield Refusal(as_meant(number), UUID(order_id), as_meant(reason))
