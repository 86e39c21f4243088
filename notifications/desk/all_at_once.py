"""One decision about all messages of a filtered list; a page shows their number first."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from notifications.desk.decisions import ALL_AT_ONCE
from notifications.models import Notification
from project.database.clock import database_now
from project.desk.all_at_once import decide_all, meant_by
from project.desk.jobs import COLOURS, JobAdmin
from project.desk.row_counts import count_rows
from project.jobs.decisions import Decision
from project.jobs.queryset import Status

OFFER_EXACT = 100
"""Messages of a status that are counted exactly above the list."""


class AllAtOncePages(JobAdmin):
    """The buttons above the list, and the page behind each of them."""

    list_before_template = "notifications/outbox_bar.html"

    def get_urls(self) -> list[URLPattern]:
        view = require_http_methods(["GET", "POST"])(self._all_view)
        return [
            path(
                "all/<slug:name>/",
                self.admin_site.admin_view(view),
                name="notifications_notification_all",
            ),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        response = super().changelist_view(request, extra_context)
        listed = getattr(response, "context_data", {}).get("cl")
        if listed is not None and self.may_decide(request):
            response.context_data["all_at_once"] = _offers(listed.queryset, request.GET.urlencode())
        return response

    def _all_view(self, request: HttpRequest, name: str) -> HttpResponseBase:
        """Show the question with the number of messages; once confirmed, apply the decision."""
        if not self.may_decide(request):
            raise PermissionDenied
        if name not in ALL_AT_ONCE:
            raise Http404
        asked, back = ALL_AT_ONCE[name], _list_url(request)
        decision = asked.decision
        try:
            listed = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return redirect(back)
        is_answer = request.method == "POST"
        asked_at = parse_datetime(request.POST.get("asked_at", "")) if is_answer else database_now()
        if asked_at is None or asked_at.tzinfo is None:
            raise Http404
        meant = meant_by(decision, listed.queryset, asked_at=asked_at)
        if is_answer:
            self._decide_all(request, decision, meant)
            return redirect(back)
        count = meant.count()
        context = {
            **self.admin_site.each_context(request),
            "title": decision.label,
            "opts": self.opts,
            "count": count,
            "question": asked.question(count) % {"count": count},
            "filters": _chosen(listed),
            "asked_at": asked_at.isoformat(),
            "decision": decision,
            "back": back,
        }
        return TemplateResponse(request, "notifications/all_at_once.html", context)

    def _decide_all(self, request: HttpRequest, decision: Decision, meant: QuerySet[Any]) -> None:
        done, left = decide_all(decision, meant)
        if done:
            self.record_action(request, decision.label, [], count=done)
            messages.success(request, decision.report(done))
        else:
            messages.warning(request, _("There is nothing left to decide."))
        if left:
            text = ngettext(
                "%(count)d message is left: decide once more.",
                "%(count)d messages are left: decide once more.",
                left,
            )
            messages.warning(request, text % {"count": left})


def _offers(listed: QuerySet[Any], query: str) -> list[dict[str, Any]]:
    """Return the decisions about all of a list: each status with its number and its decisions.

    The number is exact while it is small; the page that asks counts all of them.
    """
    statuses = {s for asked in ALL_AT_ONCE.values() for s in asked.decision.statuses}
    counts = {
        status: count_rows(listed.filter(status=status), exact=OFFER_EXACT)
        for status in sorted(statuses)
    }
    return [
        {
            "label": Status(status).label,
            "colour": COLOURS[status],
            "count": count,
            "decisions": [
                (asked.label, _url(name, query))
                for name, asked in ALL_AT_ONCE.items()
                if status in asked.decision.statuses
            ],
        }
        for status, count in counts.items()
        if count
    ]


def _url(name: str, query: str) -> str:
    url = reverse("admin:notifications_notification_all", args=[name])
    return f"{url}?{query}" if query else url


def _list_url(request: HttpRequest) -> str:
    url, query = reverse("admin:notifications_notification_changelist"), request.GET.urlencode()
    return f"{url}?{query}" if query else url


def _chosen(listed: Any) -> list[tuple[Any, Any]]:
    """Return the list's filters, as (name, value) in words."""
    chosen = [("", listed.query)] if listed.query else []
    for spec in listed.filter_specs:
        values = list(spec.choices(listed))[1:]  # the first is "all"
        chosen += [(spec.title, value["display"]) for value in values if value["selected"]]
    known = {name for spec in listed.filter_specs for name in spec.expected_parameters()}
    for name, values in listed.get_filters_params().items():
        if name not in known:  # of a link to the list
            field, _lookup, part = name.partition("__")
            label = label_for_field(field, Notification)
            chosen.append((f"{label} {part}", ", ".join(values)))
    return chosen
