"""What operators decide about jobs: retry failed ones, and the decisions of the model.

A decision that ends something asks first, and why; the others are made by their button. All are
noted (`project.desk.decision_log`) and in the audit log.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import get_permission_codename
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from project.desk.confirming import ReasonForm, chosen_rows, confirm_page
from project.desk.decision_log import decide
from project.desk.editing import EditAdmin
from project.jobs.decisions import RETRY, Decision
from project.jobs.model import Job
from project.way_back import way_back


@dataclass(frozen=True)
class Button:
    """A decision that a job's status allows."""

    label: str | Promise
    url: str
    is_asked: bool
    """The button leads to a page that asks; else it decides."""


class JobDecisions(EditAdmin):
    """The part of a jobs' ModelAdmin with its buttons and actions. The jobs have a `summary`."""

    decisions: tuple[Decision, ...] = (RETRY,)

    def summary(self, job: Any) -> str:
        raise NotImplementedError

    def may_decide(self, request: HttpRequest) -> bool:
        permission = get_permission_codename("change", self.opts)
        return request.user.has_perm(f"{self.opts.app_label}.{permission}")

    def decisions_for(self, request: HttpRequest, job: Job) -> list[Button]:
        """Return the buttons of the decisions that the job's status allows."""
        if not self.may_decide(request):
            return []
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_decide"
        return [
            Button(decision.label, reverse(name, args=[job.pk, decision.name]), decision.is_asked)
            for decision in self.decisions
            if job.status in decision.statuses
        ]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer each decision for the selected jobs."""
        if not self.may_decide(request):
            return {}
        return {
            decision.name: (self._action(decision), decision.name, decision.label)
            for decision in self.decisions
        }

    def _action(self, decision: Decision) -> Callable[..., HttpResponseBase | None]:
        def act(
            model_admin: JobDecisions, request: HttpRequest, queryset: QuerySet[Any]
        ) -> HttpResponseBase | None:
            chosen = self.model._default_manager.filter(pk__in=queryset.order_by().values("pk"))
            return self._asked(
                request,
                decision,
                chosen,
                back=request.get_full_path(),
                hidden=chosen_rows(request, decision.name),
                is_answer=not decision.is_asked or "reason" in request.POST,
            )

        act.logs_itself = True  # type: ignore[attr-defined]
        return act

    def _asked(
        self,
        request: HttpRequest,
        decision: Decision,
        jobs: QuerySet[Any],
        *,
        back: str,
        hidden: list[tuple[str, str]],
        is_answer: bool,
    ) -> HttpResponseBase | None:
        """Ask whether to decide so about the jobs; None once it is decided."""
        form = ReasonForm({"reason": "", **request.POST.dict()} if is_answer else None)
        if form.is_valid():
            self._decide(request, decision, jobs, reason=form.typed)
            return None
        count = jobs.filter(status__in=decision.statuses).count()
        return confirm_page(
            request,
            title=decision.label,
            question=decision.question(count) if count else _nothing_to_do(decision),
            label=decision.label if count else "",
            facts=[(self.opts.verbose_name, self.summary(jobs[0]))] if len(jobs[:2]) == 1 else (),
            hidden=hidden,
            form=form,
            back=back,
            opts=self.opts,
        )

    def _decide(
        self, request: HttpRequest, decision: Decision, jobs: QuerySet[Any], *, reason: str
    ) -> None:
        changed = decide(decision, jobs, user_id=request.user.pk, reason=reason)
        if not changed:
            messages.warning(request, _nothing_to_do(decision))
            return
        self.record_action(request, decision.label, changed, reason=reason)
        messages.success(request, decision.report(len(changed)))

    def get_urls(self) -> list[URLPattern]:
        view = require_http_methods(["GET", "POST"])(self._decide_view)
        decide_one = path(
            "<uuid:job_id>/decide/<slug:name>/",
            self.admin_site.admin_view(view),
            name=f"{self.opts.app_label}_{self.opts.model_name}_decide",
        )
        return [decide_one, *super().get_urls()]

    def _decide_view(self, request: HttpRequest, job_id: UUID, name: str) -> HttpResponseBase:
        """Decide about one job; a look at it asks first."""
        if not self.may_decide(request):
            raise PermissionDenied
        decision = next((known for known in self.decisions if known.name == name), None)
        if decision is None:
            raise Http404
        jobs = self.get_queryset(request).filter(pk=job_id)
        back = way_back(request)
        if not back:
            names = (self.opts.app_label, self.opts.model_name)
            back = reverse("admin:{}_{}_change".format(*names), args=[job_id])
        page = self._asked(
            request,
            decision,
            jobs,
            back=back,
            hidden=[("next", back)],
            is_answer=request.method == "POST",
        )
        return page or redirect(back)


def _nothing_to_do(decision: Decision) -> str:
    statuses = " / ".join(str(status.label) for status in decision.statuses)
    return _("Nothing to do: no job is “%(status)s”.") % {"status": statuses}
