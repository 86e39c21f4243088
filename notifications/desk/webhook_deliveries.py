"""The list of deliveries, and the page of one: what was sent, and what was answered."""

import json
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.filters import DateFieldListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from notifications.desk.all_at_once import AllAtOncePages
from notifications.desk.webhook_decisions import ALL_AT_ONCE, DECISIONS, REPLAY
from notifications.desk.webhook_filters import KindFilter
from notifications.models import WebhookDelivery, WebhookEndpoint
from notifications.webhooks.attempts import read_attempts
from notifications.webhooks.events import EVENTS, event_label
from project.desk.confirming import confirm_page
from project.desk.jobs import isolated
from project.desk.sheets import Column
from project.jobs.decisions import Decision
from project.text import isolate


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(AllAtOncePages):
    decisions = DECISIONS
    all_at_once = ALL_AT_ONCE
    change_form_template = "notifications/webhook_delivery.html"
    list_display = ("about", "state", "to", "order", "attempts", "answered", "reason", "queued")
    list_filter = ("status", "endpoint", KindFilter, ("created_at", DateFieldListFilter))
    list_select_related = ("endpoint",)
    sheet_columns = (
        Column(_("endpoint"), lambda delivery: str(delivery.endpoint)),
        Column(_("status of the answer"), lambda delivery: delivery.answer_status),
    )
    about_fields = (("to", "answered"), "overtook")

    def read_for_sheet(self, shown: QuerySet[Any]) -> QuerySet[Any]:
        return shown.select_related("endpoint")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("endpoint")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave the event out: the page shows it as it was sent."""
        return [part for part in super().get_fieldsets(request, obj) if part[0] != _("Context")]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), "to", "answered"]

    def for_order(self, order_id: Any) -> QuerySet[Any]:
        """Return none: what other systems hear of an order isn't part of its page."""
        return self.model._default_manager.none()

    def kinds(self) -> list[tuple[str, Any]]:
        return list(EVENTS.items())

    def summary(self, job: WebhookDelivery) -> str:
        return _("%(event)s · to %(endpoint)s") % {
            "event": event_label(job.kind),
            "endpoint": isolate(job.endpoint.name),
        }

    # ── Decisions ───────────────────────────────────────────────────────────────────────────

    def decidable(self, decision: Decision, jobs: Any) -> tuple[QuerySet[Any], str]:
        """Leave those out of a replay whose endpoint is switched off: they would wait for ever."""
        if decision is not REPLAY:
            return jobs, ""
        off = jobs.filter(status__in=decision.statuses).to_endpoints_off().count()
        return jobs.to_endpoints_on(), off_words(off) if off else ""

    def _asked(
        self,
        request: HttpRequest,
        decision: Decision,
        jobs: QuerySet[Any],
        **asked: Any,
    ) -> HttpResponseBase | None:
        on, left_out = self.decidable(decision, jobs)
        if not left_out:
            return super()._asked(request, decision, jobs, **asked)
        if on.filter(status__in=decision.statuses).exists():
            page: Any = super()._asked(request, decision, on, **asked)
            if page is not None:
                page.context_data["sentences"] = [left_out]
                return page
        elif not asked["is_answer"]:
            title, back = decision.label, asked["back"]
            return confirm_page(
                request, title=title, question=left_out, label="", back=back, opts=self.opts
            )
        messages.warning(request, left_out)
        return None

    def number_of(self, job: WebhookDelivery) -> str:
        return str(job.context.get("data", {}).get("number", ""))

    def matches_id(self, wanted: Any) -> Q:
        return Q(pk=wanted) | Q(order_id=wanted)

    @display(description=_("job"))
    def about(self, delivery: WebhookDelivery) -> str:
        return str(event_label(delivery.kind))

    @display(description=_("endpoint"))
    def to(self, delivery: WebhookDelivery) -> SafeString:
        return isolated(delivery.endpoint.name)

    @display(description=_("answer"))
    def answered(self, delivery: WebhookDelivery) -> str:
        return str(delivery.answer_status or "–")

    def page_context(self, request: HttpRequest, job: WebhookDelivery) -> dict[str, Any]:
        return {
            **super().page_context(request, job),
            "attempts": list(read_attempts(job)),
            "body_shown": _indented(job.body),
        }

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        return super().changelist_view(
            request, {**(extra_context or {}), "to_endpoint": _chosen_endpoint(request)}
        )


def _chosen_endpoint(request: HttpRequest) -> WebhookEndpoint | None:
    """Return the endpoint that the list is filtered by; None if it is of all, or of several."""
    chosen = request.GET.get("endpoint__id__exact", "")
    if not (chosen.isascii() and chosen.isdecimal() and len(chosen) < 19):
        return None
    return WebhookEndpoint.objects.filter(pk=chosen).first()


def _indented(body: str) -> str:
    """Return a JSON body so that people can read it; any other body as it is."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return body


def off_words(count: int) -> str:
    """Say that so many deliveries are left out, and what helps."""
    words = ngettext(
        "%(count)d delivery is left out: its endpoint is switched off. Resume it first.",
        "%(count)d deliveries are left out: their endpoints are switched off. Resume these first.",
        count,
    )
    return words % {"count": count}
