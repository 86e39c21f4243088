"""Decisions on the page of all jobs: retry or cancel all that are listed, pause a queue.

A page shows first how many jobs there are, by their kinds. Each decision is entered into the audit
log.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from project.database.clock import database_now
from project.desk.all_at_once import MAX_SECONDS, decide_all, meant_by
from project.desk.audit_log import record_action
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
    form = JobsForm(request, desks=desks)
    is_answer = request.method == "POST"
    asked_at = _parsed(request.POST.get("asked_at", "")) if is_answer else database_now()
    meant = [
        (desk, decision, meant_by(decision, form.apply(desk), asked_at=asked_at))
        for desk, decision in deciders
    ]
    back = f"{reverse('desk-jobs')}?{urlencode(form.query())}#jobs"
    if is_answer:
        _decide(request, meant)
        return redirect(back)
    return _question(request, name, form, meant, asked_at, back)


def set_queue(request: HttpRequest, queue: str, wanted: str) -> HttpResponse:
    """Pause or resume a queue."""
    if wanted not in ("pause", "resume") or queue not in pausing.queues():
        raise Http404
    if not may_decide(desks_for(request), queue, request):
        raise PermissionDenied
    name = queue_name(queue)
    if wanted == "pause":
        done = pausing.pause(queue, by=request.user.get_username())
        said = _("“%(queue)s” is paused: its jobs wait until you resume it.")
        label = gettext_noop("Pause")
    else:
        done = pausing.resume(queue)
        said = _("“%(queue)s” goes on, with all that has waited.")
        label = gettext_noop("Resume")
    if done:
        row = PausedQueue(queue=queue)
        record_action(user_id=request.user.pk, label=label, rows=[row])
    messages.success(request, said % {"queue": name})
    return redirect("desk-jobs")


def _deciders(
    request: HttpRequest, desks: list[JobAdmin], name: str
) -> Iterator[tuple[JobAdmin, Decision]]:
    """Yield the admins whose jobs the user may decide about, with their decision of this name."""
    for desk in desks:
        for decision in desk.decisions:
            if decision.name == name and desk.may_decide(request):
                yield desk, decision


def _parsed(text: str) -> Any:
    try:
        asked_at = parse_datetime(text)
    except ValueError:
        asked_at = None
    if asked_at is None or asked_at.tzinfo is None:
        raise Http404
    return asked_at


Meant = list[tuple[JobAdmin, Decision, QuerySet[Any]]]


def _question(
    request: HttpRequest, name: str, form: JobsForm, meant: Meant, asked_at: Any, back: str
) -> HttpResponse:
    counts = [(desk.opts.verbose_name_plural, jobs.count()) for desk, _decision, jobs in meant]
    count = sum(number for _kind, number in counts)
    if name == RETRY.name:
        question = ngettext("Retry %(count)d job?", "Retry %(count)d jobs?", count)
    else:
        question = ngettext("Cancel %(count)d job?", "Cancel %(count)d jobs?", count)
    context = {
        **admin.site.each_context(request),
        "title": meant[0][1].label,
        "question": question % {"count": count},
        "count": count,
        "counts": [(kind, number) for kind, number in counts if number],
        "chosen": form.chosen(),
        "asked_at": asked_at.isoformat(),
        "label": meant[0][1].label,
        "back": back,
    }
    return TemplateResponse(request, "desk/jobs_all.html", context)


def _decide(request: HttpRequest, meant: Meant) -> None:
    deadline = time.monotonic() + MAX_SECONDS
    done, left, decided = 0, 0, meant[0][1]
    for desk, decision, jobs in meant:
        changed, remaining = decide_all(decision, jobs, until=deadline)
        if changed:
            desk.record_action(request, decision.label, [], count=changed)
        done, left = done + changed, left + remaining
    if not done:
        messages.warning(request, _("There is nothing left to decide."))
        return
    generic = RETRY if decided.name == RETRY.name else CANCEL
    messages.success(request, generic.report(done))
    if left:
        text = ngettext(
            "%(count)d job is left: decide once more.",
            "%(count)d jobs are left: decide once more.",
            left,
        )
        messages.warning(request, text % {"count": left})
