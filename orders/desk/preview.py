"""The desk's preview of messages: any event's message, rendered with a real order."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from notifications.events import EVENTS
from notifications.models import Notification
from notifications.rendering import MASK, Wording, render
from notifications.segments import ALONE, PART, count_segments
from orders.messages.samples import sample_context
from orders.models import Order
from project.order_numbers import digits_of

DARK = "@media (prefers-color-scheme: dark)"
# A preview makes no attached pictures: an empty frame replaces them.
NO_PICTURE = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='520' height='200'%3E"
    "%3Crect width='100%25' height='100%25' fill='%239ca3af' opacity='.3'/%3E%3C/svg%3E"
)


class PreviewForm(forms.Form):
    """The event, channel, language and order of the preview."""

    event = forms.ChoiceField(
        label=_("Event"),
        choices=lambda: [(name, event.label) for name, event in EVENTS.items()],
        widget=UnfoldAdminSelectWidget,
    )
    channel = forms.ChoiceField(
        label=_("Channel"),
        choices=Notification.Channel.choices,
        widget=UnfoldAdminSelectWidget,
    )
    language = forms.ChoiceField(
        label=_("Language"), choices=settings.LANGUAGES, widget=UnfoldAdminSelectWidget
    )
    order = forms.CharField(
        label=_("Order number"),
        required=False,
        max_length=40,
        help_text=_("Empty: the latest order."),
        widget=UnfoldAdminTextInputWidget,
    )

    def clean_order(self) -> Order | None:
        """Return the order with the typed number, else the latest; None if there is no order."""
        typed = self.cleaned_data["order"]
        if not typed:
            return Order.objects.order_by("-number").first()
        number = digits_of(typed)
        order = None if number is None else Order.objects.filter(number=number).first()
        if order is None:
            raise ValidationError(_("There is no order with this number."))
        return order


class PreviewPage(ModelAdmin):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_safe(self._preview_view))
        return [path("preview/", view, name="orders_order_preview"), *super().get_urls()]

    def _preview_view(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = {"event": next(iter(EVENTS)), "channel": "email", "language": "en", "order": ""}
        language = translation.get_language()
        if language in dict(settings.LANGUAGES):
            asked["language"] = str(language)
        asked |= {name: request.GET[name] for name in asked if name in request.GET}
        form = PreviewForm(asked)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("Preview"),
            "opts": self.opts,
            "form": form,
        }
        if form.is_valid():
            context |= _preview(**form.cleaned_data)
        status = 422 if form.errors else 200
        return TemplateResponse(request, "desk/preview.html", context, status=status)


def _preview(*, event: str, channel: str, language: str, order: Order | None) -> dict[str, Any]:
    """Return the rendered message for the page, or the reason why there is none."""
    row = EVENTS[event]
    if channel not in row.channels:
        others = [(known.value, known.label) for known in row.channels]
        return {"event": row, "other_channels": others}
    if order is None:
        return {"has_no_order": True}
    with translation.override(language):  # it applies to the samples too
        context = sample_context(event, order=order, language=language)
    words = render(Notification(event=event, channel=channel, language=language, context=context))
    shown: dict[str, Any] = {"event": row, "words": words, "of": order, "channel": channel}
    if channel == Notification.Channel.SMS:
        return shown | _segments(words)
    html = words.html.replace("cid:chart", NO_PICTURE)
    return shown | {"light": _in(html, "not all"), "dark": _in(html, "all")}


def _in(html: str, media: str) -> str:
    """Return the HTML with its dark style sheet always on or always off."""
    return html.replace(DARK, f"@media {media}")


def _segments(words: Wording) -> dict[str, Any]:
    # The mask's dots would change the SMS encoding, so the count uses digits, as in a code.
    sms = count_segments(words.text.replace(MASK, "0" * len(MASK)))
    size = ALONE[sms.encoding] if sms.segments == 1 else sms.segments * PART[sms.encoding]
    return {"sms": sms, "room": size}


def preview_url(order: Order) -> str:
    """Return the URL of the preview of this order's messages."""
    return f"{reverse('admin:orders_order_preview')}?order={order.display_number}"
