"""One decision about all jobs of a filtered list; a page shows their number first."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from project.desk.all_at_once import NOTHING_LEFT, asked_at_of, decide_all, jobs_left, meant_by
from project.desk.chosen_filters import chosen_filters
from project.desk.confirming import ReasonForm, confirm_page
from project.desk.jobs import COLOURS, JobAdmin
from project.desk.row_counts import count_rows
from project.jobs.decisions import Decision
from project.jobs.queryset import Status

OFFER_EXACT = 100
"""Jobs of a status that are counted exactly above the list."""


class AllAtOncePages(JobAdmin):
    """The buttons above the list, and the page behind each of them."""

    list_before_template = "notifications/outbox_bar.html"
    all_at_once: Mapping[str, tuple[Decision, str | Promise]] = {}
    """The decisions about all of a list, by name, with the labels of their buttons."""

    def get_urls(self) -> list[URLPattern]:
        view = require_http_methods(["GET", "POST"])(self._all_view)
        return [
            path(
                "all/<slug:name>/",
                self.admin_site.admin_view(view),
                name=f"{self.opts.app_label}_{self.opts.model_name}_all",
            ),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        response = super().changelist_view(request, extra_context)
        listed = getattr(response, "context_data", {}).get("cl")
        if listed is not None and self.may_decide(request):
            offers = self._offers(listed.queryset, request.GET)
            response.context_data["all_at_once"] = offers
        return response

    def _all_view(self, request: HttpRequest, name: str) -> HttpResponseBase:
        """Show the question with the number of jobs; once confirmed, apply the decision."""
        if not self.may_decide(request):
            raise PermissionDenied
        if name not in self.all_at_once:
            raise Http404
        back = self._back_to(request)
        decision, _label = self.all_at_once[name]
        try:
            listed = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return redirect(back)
        is_answer = request.method == "POST"
        asked_at = asked_at_of(request)
        meant, left_out = self.decidable(
            decision, meant_by(decision, listed.queryset, asked_at=asked_at)
        )
        form = ReasonForm(request.POST if is_answer else None)
        if form.is_valid():
            self._decide_all(request, decision, meant, reason=form.typed)
            if left_out:
                messages.warning(request, left_out)
            return redirect(back)
        count = meant.count()
        return confirm_page(
            request,
            title=decision.label,
            question=decision.question(count) if count else NOTHING_LEFT,
            label=decision.label if count else "",
            facts=chosen_filters(listed)
            or [(_("Filters"), _("None: the decision applies to all of them."))],
            sentences=[left_out] if left_out else [],
            hidden=[("asked_at", asked_at.isoformat())],
            form=form,
            back=back,
            opts=self.opts,
        )

    def _decide_all(
        self, request: HttpRequest, decision: Decision, meant: QuerySet[Any], *, reason: str
    ) -> None:
        done, left = decide_all(decision, meant, user_id=request.user.pk, reason=reason)
        if done:
            self.record_action(request, decision.label, [], count=done, reason=reason)
            messages.success(request, decision.report(done))
        else:
            messages.warning(request, NOTHING_LEFT)
        if left:
            messages.warning(request, self.left(left))

    def decidable(self, decision: Decision, jobs: QuerySet[Any]) -> tuple[QuerySet[Any], str]:
        """Return the jobs without those that must be left out, and a sentence with their number."""
        return jobs, ""

    def left(self, count: int) -> str:
        """Say that so many wait for the same decision once more."""
        return jobs_left(count)

    def _offers(self, listed: QuerySet[Any], query: QueryDict) -> list[dict[str, Any]]:
        """Return the decisions about all of a list: each status with its number and its decisions.

        The number is exact while it is small; the page that asks counts all of them. A button is
        for its status alone, with the list's other filters.
        """
        statuses = {s for decision, _label in self.all_at_once.values() for s in decision.statuses}
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
                    (label, self._url(name, _query(query, decision, status)))
                    for name, (decision, label) in self.all_at_once.items()
                    if status in decision.statuses
                ],
            }
            for status, count in counts.items()
            if count
        ]

    def _url(self, name: str, query: str) -> str:
        names = (self.opts.app_label, self.opts.model_name)
        url = reverse("admin:{}_{}_all".format(*names), args=[name])
        return f"{url}?{query}" if query else url

    def _back_to(self, request: HttpRequest) -> str:
        names = (self.opts.app_label, self.opts.model_name)
        url, query = reverse("admin:{}_{}_changelist".format(*names)), request.GET.urlencode()
        return f"{url}?{query}" if query else url


def _query(listed: QueryDict, decision: Decision, status: str) -> str:
    """Return the list's query, with the status as its filter if the decision is for several."""
    if len(decision.statuses) == 1:
        return listed.urlencode()
    narrowed = listed.copy()
    for name in listed:
        if name.partition("__")[0] == "status":
            del narrowed[name]
    narrowed["status__exact"] = status
    return narrowed.urlencode()
