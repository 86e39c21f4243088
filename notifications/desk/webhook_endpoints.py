"""Webhook endpoints at the desk: made and changed here, tested, paused, switched off.

The secret is on the page that answers its making, and on no other.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, ngettext_lazy, pgettext
from unfold.decorators import action, display

from notifications.desk.webhook_filters import TROUBLE_LABELS, StateFilter
from notifications.desk.webhook_forms import EndpointForm
from notifications.desk.webhook_words import replaced_words, trouble_words
from notifications.models import MADE_BY_SHOP, WebhookDelivery, WebhookEndpoint
from notifications.webhooks import switches, wellbeing
from notifications.webhooks.counts import deliveries_in
from notifications.webhooks.endpoint_secrets import new_secret, replace_secret, sealed
from notifications.webhooks.events import event_label
from notifications.webhooks.wellbeing import TROUBLES
from project.desk.confirming import ReasonForm, chosen_rows, confirm_page
from project.desk.jobs import COLOURS, in_zone, isolated, moment, untranslated
from project.desk.record_page import RecordPage
from project.jobs.queryset import Status

State = WebhookEndpoint.Status


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(RecordPage):
    COLOURS = {
        "active": "success",
        "paused": "warning",
        "off": "",
        **dict.fromkeys(TROUBLES, "danger"),
    }
    form = EndpointForm
    change_form_template = "notifications/webhook_endpoint.html"
    list_display = ("name", "state", "address", "waiting", "failed", "since", "why")
    list_filter = (StateFilter,)
    search_fields = ("name", "url")
    actions = ("test", "try_now", "pause", "resume", "switch_off", "new_secret")
    fieldsets = (
        (None, {"fields": ("name", "url", "events", "signature", "is_thin")}),
        (_("Only some"), {"fields": ("minimum", ("countries", "skus"))}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Count what waits and what failed in the query of the list; only people's own are here."""
        endpoints = super().get_queryset(request).filter(kind=MADE_BY_SHOP)
        return endpoints.annotate(
            queued=deliveries_in([Status.QUEUED]), troubled=deliveries_in([Status.FAILED])
        )

    def page_context(self, request: HttpRequest, endpoint: WebhookEndpoint) -> dict[str, Any]:
        colour, words = self.state(endpoint)
        wanted = ["test"]
        wanted += ["try_now"] if endpoint.failures else []
        wanted += ["pause", "switch_off"] if endpoint.status == State.ACTIVE else ["resume"]
        wanted += ["switch_off"] if endpoint.gone_at else []
        wanted += ["new_secret"]
        known = self.get_actions(request)
        log = reverse("admin:notifications_webhookdelivery_changelist")
        return {
            "subtitle": None,
            "title": endpoint.name,
            "state": words,
            "state_colour": self.COLOURS[colour],
            "why": self.why(endpoint),
            "trouble": trouble_words(endpoint),
            "decisions": [(name, known[name][2]) for name in wanted if name in known],
            "log_url": f"{log}?endpoint__id__exact={endpoint.pk}",
            "latest": [
                (delivery, event_label(delivery.kind), COLOURS[delivery.status])
                for delivery in WebhookDelivery.objects.filter(endpoint=endpoint).order_by(
                    "-created_at", "-id"
                )[:5]
            ],
        }

    # ── Columns ─────────────────────────────────────────────────────────────────────────────

    @display(description=_("state"), label=COLOURS)
    def state(self, endpoint: WebhookEndpoint) -> tuple[str, Any]:
        if endpoint.status == State.ACTIVE and endpoint.failures:
            return "silent", TROUBLE_LABELS["silent"]
        if endpoint.status == State.ACTIVE and endpoint.refusals:
            return "refusing", TROUBLE_LABELS["refusing"]
        if endpoint.status == State.OFF and endpoint.gone_at:
            return "gone", TROUBLE_LABELS["gone"]
        return endpoint.status, endpoint.get_status_display()

    @display(description=_("web address"), ordering="url")
    def address(self, endpoint: WebhookEndpoint) -> SafeString:
        return isolated(endpoint.url)

    @display(description=_("waiting"))
    def waiting(self, endpoint: Any) -> SafeString:
        return _listed(endpoint, endpoint.queued, Status.QUEUED)

    @display(description=_("failed"))
    def failed(self, endpoint: Any) -> SafeString:
        return _listed(endpoint, endpoint.troubled, Status.FAILED)

    @display(
        description=in_zone(_("in trouble since")),
        ordering=Coalesce("failing_since", "refusing_since", "gone_at"),
    )
    def since(self, endpoint: WebhookEndpoint) -> SafeString:
        """Since when it doesn't answer, refuses, or is gone."""
        return moment(endpoint.failing_since or endpoint.refusing_since or endpoint.gone_at)

    @display(description=_("reason"))
    def why(self, endpoint: WebhookEndpoint) -> SafeString:
        """Why it is paused or off, else why it doesn't answer, else its last refusal."""
        return untranslated(endpoint.status_reason or endpoint.error or endpoint.refusal or "–")

    # ── Making and changing ─────────────────────────────────────────────────────────────────

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """One that ever got something is switched off instead: its log stays."""
        may = super().has_delete_permission(request, obj)
        return may and obj is not None and not obj.deliveries.exists()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.shown_secret = new_secret()
            obj.secret = sealed(obj.shown_secret)
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: Any = None
    ) -> HttpResponseBase:
        return self._secret_page(request, obj, obj.shown_secret)

    def _secret_page(
        self, request: HttpRequest, endpoint: WebhookEndpoint, secret: str
    ) -> TemplateResponse:
        """Show the secret, on a page that no cache and no history keeps."""
        response = TemplateResponse(
            request,
            "notifications/webhook_secret.html",
            {
                **self.admin_site.each_context(request),
                "title": _("The secret of %(name)s") % {"name": endpoint.name},
                "secret": secret,
                "opts": self.opts,
                "back": reverse("admin:notifications_webhookendpoint_change", args=[endpoint.pk]),
            },
        )
        response["Cache-Control"] = "no-store"
        return response

    # ── Decisions ───────────────────────────────────────────────────────────────────────────

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("notifications.change_webhookendpoint")

    @action(description=_("Send a test"), permissions=["decide"])
    def test(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        on = list(queryset.exclude(status=State.OFF))
        for endpoint in on:
            switches.send_test(endpoint.pk)
        if on:
            messages.success(request, _("The test is on its way: look at the deliveries."))
        else:
            messages.warning(request, _("It is switched off. Resume it first."))

    @action(description=_("Try now"), permissions=["decide"])
    def try_now(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        if wellbeing.try_now(list(queryset.values_list("pk", flat=True))):
            messages.success(request, _("The next delivery tries at once."))
        else:
            messages.warning(request, _("Nothing to do: none is resting."))

    @action(description=_("Pause: deliveries wait"), permissions=["decide"])
    def pause(
        self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]
    ) -> HttpResponseBase | None:
        return self._switched(
            request,
            queryset,
            switches.pause,
            title=_("Pause"),
            says=_("Its events are kept, and go when it is resumed."),
            done=ngettext_lazy(
                "%(count)d endpoint is paused: its deliveries wait.",
                "%(count)d endpoints are paused: their deliveries wait.",
                "count",
            ),
        )

    pause.logs_itself = True

    @action(description=_("Resume"), permissions=["decide"])
    def resume(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        count = switches.resume(_own(queryset))
        words = ngettext("%(count)d endpoint goes on.", "%(count)d endpoints go on.", count)
        messages.success(request, words % {"count": count})

    @action(description=_("Switch off"), permissions=["decide"])
    def switch_off(
        self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]
    ) -> HttpResponseBase | None:
        return self._switched(
            request,
            queryset,
            switches.switch_off,
            title=_("Switch off"),
            says=_("What waits for it is cancelled, and it gets no more events."),
            done=ngettext_lazy(
                "%(count)d endpoint is switched off.",
                "%(count)d endpoints are switched off.",
                "count",
            ),
        )

    switch_off.logs_itself = True

    @action(description=_("New secret"), permissions=["decide"])
    def new_secret(
        self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]
    ) -> HttpResponseBase | None:
        endpoint = queryset.first()
        if endpoint is None or queryset.count() > 1:
            messages.warning(request, _("Choose one endpoint: its new secret is shown once."))
            return None
        form = self._reason_form(request, is_needed=False)
        if not form.is_valid():
            return self._ask(
                request,
                queryset,
                "new_secret",
                form,
                title=_("New secret"),
                says=replaced_words(endpoint),
            )
        secret = replace_secret(endpoint.pk)
        self.record_action(request, _("New secret"), [endpoint], reason=form.typed)
        return self._secret_page(request, endpoint, secret)

    new_secret.logs_itself = True

    def _switched(
        self,
        request: HttpRequest,
        queryset: QuerySet[WebhookEndpoint],
        switch: Callable[..., int],
        *,
        title: Any,
        says: Any,
        done: Any,
    ) -> HttpResponseBase | None:
        """Ask for the reason; with one, switch the endpoints and say how many were."""
        form = self._reason_form(request)
        if not form.is_valid():
            return self._ask(request, queryset, switch.__name__, form, title=title, says=[says])
        rows = list(queryset)
        count = switch(_own(queryset), reason=form.typed)
        self.record_action(request, title, rows, reason=form.typed)
        messages.success(request, done % {"count": count})
        return None

    @staticmethod
    def _reason_form(request: HttpRequest, *, is_needed: bool = True) -> ReasonForm:
        return ReasonForm(request.POST if "reason" in request.POST else None, is_needed=is_needed)

    def _ask(
        self,
        request: HttpRequest,
        queryset: QuerySet[WebhookEndpoint],
        name: str,
        form: ReasonForm,
        *,
        title: Any,
        says: Sequence[Any],
    ) -> HttpResponseBase:
        names = pgettext("between parts", ", ").join(str(endpoint) for endpoint in queryset)
        return confirm_page(
            request,
            title=title,
            question=f"{title}: {names}?",
            label=title,
            sentences=says,
            hidden=chosen_rows(request, name),
            form=form,
            back=request.get_full_path(),
            opts=self.opts,
        )


def _own(queryset: QuerySet[WebhookEndpoint]) -> QuerySet[WebhookEndpoint]:
    """Return the same rows without the list's counts: an UPDATE can't have them."""
    return WebhookEndpoint.objects.filter(pk__in=[row.pk for row in queryset])


def _listed(endpoint: WebhookEndpoint, count: int, status: Status) -> SafeString:
    url = reverse("admin:notifications_webhookdelivery_changelist")
    return format_html(
        '<a class="text-link" href="{}?endpoint__id__exact={}&status__exact={}">{}</a>',
        url,
        endpoint.pk,
        status.value,
        count,
    )
