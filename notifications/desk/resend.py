"""The page that sends a message to another address."""

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods
from phonenumber_field.formfields import PhoneNumberField
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminTextInputWidget

from notifications.models import Notification
from notifications.resending import may_resend, resend
from project.address_input import sent_as_typed
from project.countries import phone_region
from project.desk.decision_log import note
from project.desk.jobs import JobAdmin
from project.email_addresses import InvalidAddressError, deliverable_address, readable_address
from project.text import isolate

CHANGE = "admin:notifications_notification_change"


class AddressField(forms.EmailField):
    """An e-mail address, by the rule of `project.email_addresses`."""

    def to_python(self, value: Any) -> Any:
        typed = super().to_python(value)
        try:
            return deliverable_address(typed) if typed else typed
        except InvalidAddressError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None


class RecipientForm(forms.Form):
    """The other recipient of the message; the field depends on the channel."""

    def __init__(self, *args: Any, message: Notification, **options: Any) -> None:
        super().__init__(*args, **options)
        self._message = message
        if message.channel == Notification.Channel.EMAIL:
            self.fields["email"] = AddressField(
                label=_("E-mail address"),
                max_length=254,
                widget=sent_as_typed(UnfoldAdminEmailInputWidget()),
                error_messages={
                    "invalid": _("E-mail address: this is none. Example: %s") % "ada@example.org"
                },
            )
        else:
            self.fields["phone"] = PhoneNumberField(
                label=_("Phone number"),
                region=phone_region(settings.SHOP_COUNTRY),
                widget=UnfoldAdminTextInputWidget,
                error_messages={
                    "invalid": _(
                        "Phone number: this is none. With its country code (+49 …) or national."
                    )
                },
            )

    @property
    def recipient(self) -> str:
        """Return the valid form's recipient in the format of messages."""
        values = self.cleaned_data
        return values["email"] if "email" in values else values["phone"].as_e164

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values and self.recipient.lower() == self._message.recipient.lower():
            [name] = self.fields
            same = _("%(field)s: the message went there already. To try again, use “Retry”.")
            raise ValidationError({name: same % {"field": self.fields[name].label}})
        return values


class ResendPages(JobAdmin):
    def get_urls(self) -> list[URLPattern]:
        view = require_http_methods(["GET", "POST"])(self._resend_view)
        return [
            path(
                "<uuid:job_id>/resend/",
                self.admin_site.admin_view(view),
                name="notifications_notification_resend",
            ),
            *super().get_urls(),
        ]

    def resend_url(self, request: HttpRequest, message: Notification) -> str:
        """Return the page's URL; empty if the message can't be sent to another address."""
        if not (self.may_decide(request) and may_resend(message)):
            return ""
        return reverse("admin:notifications_notification_resend", args=[message.pk])

    def _resend_view(self, request: HttpRequest, job_id: UUID) -> HttpResponseBase:
        if not self.may_decide(request):
            raise PermissionDenied
        message = get_object_or_404(Notification, pk=job_id)
        if not may_resend(message):
            raise Http404
        form = RecipientForm(request.POST or None, message=message)
        if request.method == "POST" and form.is_valid():
            copy, is_new = resend(message, to=form.recipient)
            recipient = isolate(readable_address(copy.recipient))
            if is_new:
                self.log_addition(request, copy, [{"added": {}}])
                note(_("Send to another address"), [message], user_id=request.user.pk)
                says = _("The message goes to %(recipient)s, too: this is the copy.")
                messages.success(request, says % {"recipient": recipient})
            else:
                says = _("%(recipient)s has this message already: it is shown here.")
                messages.warning(request, says % {"recipient": recipient})
            return redirect(CHANGE, copy.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Send to another address"),
            "opts": self.opts,
            "original": message,
            "summary": self.summary(message),
            "form": form,
            "back": reverse(CHANGE, args=[message.pk]),
        }
        status = 422 if form.errors else 200
        return TemplateResponse(request, "notifications/resend.html", context, status=status)
