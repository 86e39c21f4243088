"""The list of all models' jobs: its filters, its pages, and its numbers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from project.desk.jobs import COLOURS, JobAdmin, job_admins, moment, untranslated
from project.desk.row_counts import add_counts, count_each
from project.desk.search_terms import orders_numbered, typed_id
from project.jobs.queryset import OPEN, TROUBLED, Status
from project.order_numbers import order_number

PAGE_SIZE = 50
COUNTED = 1000
AGES = {
    "hour": (_("Of the last hour"), timedelta(hours=1)),
    "day": (_("Of the last 24 hours"), timedelta(days=1)),
    "week": (_("Of the last 7 days"), timedelta(days=7)),
}
OLDER = "older"
"""The age of those that are older than a day."""


def desks_for(request: HttpRequest) -> list[JobAdmin]:
    """Return the admins whose jobs the user may see. Raises PermissionDenied if there are none."""
    desks = [desk for desk in job_admins(admin.site) if desk.has_view_permission(request)]
    if not desks:
        raise PermissionDenied
    return desks


class JobsForm(forms.Form):
    """The filters. A value that is none of the choices filters nothing, as in the admin's lists."""

    kind = forms.CharField(label=_("Kind"), required=False, max_length=100)
    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[("", _("All")), *Status.choices]
    )
    age = forms.ChoiceField(
        label=_("Age"),
        required=False,
        choices=[
            ("", _("At any time")),
            *((name, label) for name, (label, _age) in AGES.items()),
            (OLDER, _("Before the last 24 hours")),
        ],
    )
    order = forms.CharField(label=_("Order"), required=False, max_length=60)
    error = forms.CharField(
        label=_("Error"),
        required=False,
        max_length=250,
        widget=forms.TextInput({"list": "errors"}),
    )

    def __init__(self, request: HttpRequest, *, desks: Iterable[JobAdmin]) -> None:
        super().__init__(request.GET)
        self._request = request
        choices: list[tuple[str, Any]] = [("", _("All"))]
        for desk in desks:
            app = desk.model.app
            choices.append((app, str(desk.opts.verbose_name_plural)))
            choices += [(f"{app}:{name}", f"  {label}") for name, label in desk.kinds()]
        self.fields["kind"] = forms.ChoiceField(label=_("Kind"), required=False, choices=choices)
        self.order_fields(["kind", "state", "age", "order", "error"])
        self.is_valid()

    def value(self, name: str) -> str:
        return str(self.cleaned_data.get(name) or "")

    def chosen(self) -> list[tuple[str, str]]:
        """Return the chosen filters in words."""
        found = []
        for name, field in self.fields.items():
            if value := self.value(name):
                words = dict(getattr(field, "choices", ())).get(value, value)
                found.append((str(field.label), str(words).strip()))
        return found

    def query(self, **others: str) -> dict[str, str]:
        """Return the parameters of the list with these filters, some of them replaced."""
        values = {name: self.value(name) for name in self.fields} | others
        return {name: value for name, value in values.items() if value}

    def apply(self, desk: JobAdmin, *, with_state: bool = True) -> QuerySet[Any]:
        """Return the jobs of this admin that match."""
        app, _colon, kind = self.value("kind").partition(":")
        jobs = desk.get_queryset(self._request)
        if app and app != desk.model.app:
            return jobs.none()
        if kind:
            jobs = desk.of_kind(jobs, kind)
        if with_state and (state := self.value("state")):
            jobs = jobs.filter(status=state)
        if error := self.value("error"):
            jobs = desk.with_error(jobs, error)
        if order := self.value("order"):
            jobs = jobs.filter(order_id__in=_orders(order))
        match self.value("age"):
            case "":
                return jobs
            case age if age == OLDER:
                return jobs.filter(created_at__lt=Now() - timedelta(days=1))
            case age:
                return jobs.filter(created_at__gte=Now() - AGES[age][1])


def _orders(text: str) -> list[Any]:
    """Return the ids of the orders that are meant by a number or an id."""
    if wanted := typed_id(text.strip()):
        return [wanted]
    number = order_number(text.strip())
    return orders_numbered(number) if number is not None else []


@dataclass(frozen=True)
class Line:
    """One job as the list shows it."""

    summary: str
    url: str
    kind: str | Promise
    status: str | Promise
    colour: str
    order: str | SafeString
    error: SafeString
    queued: SafeString
    finished: SafeString


@dataclass(frozen=True)
class Page:
    lines: list[Line]
    next: str
    """The place of the next page; empty on the last one."""


def read_page(form: JobsForm, desks: list[JobAdmin], place: str) -> Page:
    """Return a page of the newest jobs, in one query for each model."""
    after = _parse(place)
    found: list[tuple[JobAdmin, Any]] = []
    for desk in desks:
        jobs = desk.listed(form.apply(desk)).order_by("-created_at", "-id")
        if after:
            at, key = after
            # The first condition, which the second implies, is what the index begins with.
            jobs = jobs.filter(created_at__lte=at).exclude(created_at=at, id__gte=key)
        found += [(desk, job) for job in jobs[: PAGE_SIZE + 1]]
    rows = sorted(found, key=lambda row: (row[1].created_at, row[1].pk), reverse=True)
    more = len(rows) > PAGE_SIZE
    last = rows[PAGE_SIZE - 1][1] if more else None
    return Page(
        [_line(desk, job) for desk, job in rows[:PAGE_SIZE]],
        next=f"{last.created_at.isoformat()}~{last.pk}" if last else "",
    )


def _parse(place: str) -> tuple[Any, Any] | None:
    at, _tilde, key = place.partition("~")
    try:
        moment_of, wanted = parse_datetime(at), typed_id(key)
    except ValueError:
        return None
    return (moment_of, wanted) if moment_of and moment_of.tzinfo and wanted else None


def _line(desk: JobAdmin, job: Any) -> Line:
    name = f"admin:{desk.opts.app_label}_{desk.opts.model_name}_change"
    return Line(
        summary=desk.summary(job),
        url=reverse(name, args=[job.pk]),
        kind=desk.opts.verbose_name,
        status=job.get_status_display(),
        colour=COLOURS[job.status],
        order=desk.order(job),
        error=untranslated(job.error if len(job.error) <= 80 else f"{job.error[:79]}…"),
        queued=moment(job.created_at),
        finished=moment(job.finished_at),
    )


def count_states(form: JobsForm, desks: list[JobAdmin]) -> dict[str, int]:
    """Return the numbers of unfinished jobs that match, by status, in one query.

    Not of those that are done: they are most, and nobody has to decide about them.
    """
    statuses = (*OPEN, *TROUBLED)
    lists = {
        f"{status} {desk.model.app}": form.apply(desk, with_state=False).filter(status=status)
        for status in statuses
        for desk in desks
    }
    counts = count_each(lists, exact=COUNTED)
    return {
        status.value: add_counts(counts[f"{status} {desk.model.app}"] for desk in desks)
        for status in statuses
    }
