"""Decisions on the page of all jobs: retry or cancel all that are listed, pause a queue.

A page shows first how many jobs there are, by their kinds. Each decision is entered into the audit
log.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from project.desk.all_at_once import (
    MAX_SECONDS,
    NOTHING_LEFT,
    asked_at_of,
    decide_all,
    jobs_left,
    meant_by,
)
from project.desk.audit_log import record_action
from project.desk.confirming import ReasonForm, confirm_page
from project.desk.jobs import JobAdmin
from project.desk.jobs_page.listing import JobsForm, desks_for
from project.desk.jobs_page.live import may_decide
from project.jobs.decisions import CANCEL, RETRY, Decision
from project.models import PausedQueue
from project.names import queue_name
from project.queues import pausing

LABELS: dict[str, str | Promise] = {
    RETRY.name: gettext_lazy("Retry all …"),
    CANCEL.name: gettext_lazy("Cancel all …"),
}
GENERIC = {RETRY.name: RETRY, CANCEL.name: CANCEL}
"""The decisions in words about jobs of all kinds; each model has its own of that name."""


@dataclass(frozen=True)
class Offer:
    """A decision about all listed jobs."""

    label: str | Promise
    url: str


def offers(
    request: HttpRequest, desks: list[JobAdmin], form: JobsForm, counts: dict[str, int]
) -> list[Offer]:
    """Return the decisions that some of the listed jobs allow."""
    state = form.value("state")
    return [
        Offer(label, f"{reverse('desk-jobs-all', args=[name])}?{urlencode(form.query())}")
        for name, label in LABELS.items()
        if any(
            counts.get(status) and state in ("", status)
            for _desk, decision in _deciders(request, desks, name)
            for status in decision.statuses
        )
    ]


def decide(request: HttpRequest, name: str) -> HttpResponseBase:
    """Show the question with the number of jobs; once confirmed, apply the decision."""
    if name not in LABELS:
        raise Http404
    desks = desks_for(request)
    deciders = list(_deciders(request, desks, name))
    if not deciders:
        raise PermissionDenied
    filters = JobsForm(request, desks=desks)
    asked_at = asked_at_of(request)
    meant = [
        (desk, decision, meant_by(decision, filters.apply(desk), asked_at=asked_at))
        for desk, decision in deciders
    ]
    back = f"{reverse('desk-jobs')}?{urlencode(filters.query())}#jobs"
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        _decide(request, meant, reason=form.typed)
        return redirect(back)
    counts = [(desk.opts.verbose_name_plural, jobs.count()) for desk, _decision, jobs in meant]
    count = sum(number for _kind, number in counts)
    generic = GENERIC[name]
    return confirm_page(
        request,
        title=generic.label,
        question=generic.question(count) if count else NOTHING_LEFT,
        label=generic.label if count else "",
        facts=[(kind, number) for kind, number in counts if number]
        + (filters.chosen() or [(_("Filters"), _("None: the decision applies to all jobs."))]),
        hidden=[("asked_at", asked_at.isoformat())],
        form=form,
        back=back,
    )


def pause_queue(request: HttpRequest, queue: str) -> HttpResponse:
    """Ask why, and pause the queue."""
    _require_queue(request, queue)
    name = queue_name(queue)
    form = ReasonForm(request.POST if request.method == "POST" else None, is_needed=True)
    if not form.is_valid():
        return confirm_page(
            request,
            title=_("Pause"),
            question=_("Pause “%(queue)s”?") % {"queue": name},
            label=_("Pause"),
            sentences=[_("Its jobs wait until an operator resumes it; what runs is finished.")],
            form=form,
            back=reverse("desk-jobs"),
        )
    if pausing.pause(queue, by=request.user.get_username(), reason=form.typed):
        _record(request, queue, gettext_noop("Pause"), reason=form.typed)
    said = _("“%(queue)s” is paused: its jobs wait until you resume it.")
    messages.success(request, said % {"queue": name})
    return redirect("desk-jobs")


def resume_queue(request: HttpRequest, queue: str) -> HttpResponse:
    """Let a paused queue go on."""
    _require_queue(request, queue)
    if pausing.resume(queue):
        _record(request, queue, gettext_noop("Resume"))
    said = _("“%(queue)s” goes on, with all that has waited.")
    messages.success(request, said % {"queue": queue_name(queue)})
    return redirect("desk-jobs")


def _require_queue(request: HttpRequest, queue: str) -> None:
    """Raise Http404 for an unknown queue, and PermissionDenied for one of other people."""
    if queue not in pausing.queues():
        raise Http404
    if not may_decide(desks_for(request), queue, request):
        raise PermissionDenied


def _record(request: HttpRequest, queue: str, label: str, *, reason: str = "") -> None:
    record_action(
        user_id=request.user.pk, label=label, rows=[PausedQueue(queue=queue)], reason=reason
    )


def _deciders(
    request: HttpRequest, desks: list[JobAdmin], name: str
) -> Iterator[tuple[JobAdmin, Decision]]:
    """Yield the admins whose jobs the user may decide about, with their decision of this name."""
    for desk in desks:
        for decision in desk.decisions:
            if decision.name == name and desk.may_decide(request):
                yield desk, decision


Meant = list[tuple[JobAdmin, Decision, QuerySet[Any]]]


def _decide(request: HttpRequest, meant: Meant, *, reason: str) -> None:
    deadline = time.monotonic() + MAX_SECONDS
    done, left, name = 0, 0, meant[0][1].name
    for desk, decision, jobs in meant:
        changed, remaining = decide_all(
            decision, jobs, user_id=request.user.pk, reason=reason, until=deadline
        )
        if changed:
            desk.record_action(request, decision.label, [], count=changed, reason=reason)
        done, left = done + changed, left + remaining
    if not done:
        messages.warning(request, NOTHING_LEFT)
        return
    messages.success(request, GENERIC[name].report(done))
    if left:
        messages.warning(request, jobs_left(left))
