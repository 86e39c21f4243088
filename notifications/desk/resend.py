"""The page that sends a message once more: to its recipient, or to another address.

Its key makes a double click, Back and reload one copy. A page that a colleague's copy has overtaken
tells of it, and asks again.
"""

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods
from phonenumber_field.formfields import PhoneNumberField
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminTextInputWidget

from notifications.models import Notification
from notifications.resending import copies_of, key_of_copy, may_repeat, may_resend, resend_once
from project.address_input import sent_as_typed
from project.countries import phone_region
from project.desk.decision_log import note
from project.desk.job_decisions import Button
from project.desk.jobs import JobAdmin
from project.desk.page_keys import KeyField
from project.email_addresses import InvalidAddressError, deliverable_address, readable_address
from project.jobs.model import Job
from project.text import isolate
from project.way_back import way_back

CHANGE = "admin:notifications_notification_change"
AGAIN = _("Send again")
ELSEWHERE = _("Send to another address")


class AddressField(forms.EmailField):
    """An e-mail address, by the rule of `project.email_addresses`."""

    def to_python(self, value: Any) -> Any:
        typed = super().to_python(value)
        try:
            return deliverable_address(typed) if typed else typed
        except InvalidAddressError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None


class RecipientForm(forms.Form):
    """The recipient of the copy; the field depends on the channel.

    It is the message's own, if it may go there once more.
    """

    key = KeyField()
    copies = forms.IntegerField(required=False, widget=forms.HiddenInput)
    """How many copies there were when the page was opened."""

    def __init__(self, *args: Any, message: Notification, **options: Any) -> None:
        super().__init__(*args, **options)
        self._message = message
        self._copies = list(copies_of(message))
        self.initial["copies"] = len(self._copies)
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
        if may_repeat(message):
            self.initial[self._field] = readable_address(message.recipient)

    @property
    def _field(self) -> str:
        return "email" if "email" in self.fields else "phone"

    @property
    def recipient(self) -> str:
        """Return the valid form's recipient in the format of messages."""
        value = self.cleaned_data[self._field]
        return value if self._field == "email" else value.as_e164

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if damaged := {"key", "copies"} & set(self.errors):
            self._renew(damaged)
            return values
        if self._field not in values:
            return values
        if self.recipient.lower() == self._message.recipient.lower():
            if not may_repeat(self._message):
                same = _("%(field)s: the message went there already. To try again, use “Retry”.")
                label = self.fields[self._field].label
                raise ValidationError({self._field: same % {"field": label}})
            values[self._field] = self.fields[self._field].clean(self._message.recipient)
        self._require_seen(values)
        return values

    def _renew(self, damaged: set[str]) -> None:
        """Say that hidden fields came damaged: their own errors would be shown nowhere."""
        self.data: Any = self.data.copy()
        for name in damaged:
            self.data[name] = str(self.get_initial_for_field(self.fields[name], name))
        says = _(
            "A part of this page that you don't see came damaged. It is renewed: look again, then"
            " decide."
        )
        self.add_error(None, says)

    def _require_seen(self, values: dict[str, Any]) -> None:
        """Refuse a page that knows of fewer copies than there are, unless one is its own."""
        seen = values.get("copies")
        if seen is None or seen >= len(self._copies):
            return
        if key_of_copy(self._message, values["key"]) in {copy.pk for copy in self._copies}:
            return
        self.data = self.data.copy()
        self.data["copies"] = str(len(self._copies))
        for copy in self._copies[seen:]:
            says = _("%(user)s sent it to %(recipient)s meanwhile (%(time)s).")
            self.add_error(None, says % _told(copy))
        self.add_error(None, _("To send it all the same, press the button once more."))

    @property
    def known(self) -> list[str]:
        """Return the sentences that say where the copies went, the oldest first."""
        says = _("%(time)s: sent to %(recipient)s by %(user)s.")
        return [says % _told(copy) for copy in self._copies]


def _told(copy: Notification) -> dict[str, str]:
    kind = ContentType.objects.get_for_model(Notification)
    entries = LogEntry.objects.filter(content_type=kind, object_id=str(copy.pk))
    entry = entries.select_related("user").last()
    return {
        "user": isolate(entry.user.get_username() if entry else "–"),
        "recipient": isolate(readable_address(copy.recipient)),
        "time": f"{localtime(copy.created_at):%Y-%m-%d %H:%M}",
    }


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

    def decisions_for(self, request: HttpRequest, job: Job) -> list[Button]:
        """Offer to send a message again that was sent; the order's timeline has the button, too."""
        buttons = super().decisions_for(request, job)
        if self.may_decide(request) and isinstance(job, Notification) and may_repeat(job):
            buttons.append(Button(AGAIN, _url(job), is_asked=True))
        return buttons

    def resend_url(self, request: HttpRequest, message: Notification) -> str:
        """Return the page's URL; empty if the message has no such page, or a button for it."""
        if not (self.may_decide(request) and may_resend(message)) or may_repeat(message):
            return ""
        return _url(message)

    def _resend_view(self, request: HttpRequest, job_id: UUID) -> HttpResponseBase:
        if not self.may_decide(request):
            raise PermissionDenied
        message = get_object_or_404(Notification, pk=job_id)
        if not may_resend(message):
            raise Http404
        back = way_back(request)
        with transaction.atomic():
            if request.method == "POST":  # of two operators, the second one sees the first's copy
                Notification.objects.select_for_update(no_key=True).get(pk=message.pk)
            form = RecipientForm(request.POST or None, message=message)
            if request.method == "POST" and form.is_valid():
                copy = self._send(request, message, form)
                return redirect(back or reverse(CHANGE, args=[copy.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": AGAIN if may_repeat(message) else ELSEWHERE,
            "opts": self.opts,
            "original": message,
            "summary": self.summary(message),
            "form": form,
            "next": back,
            "back": back or reverse(CHANGE, args=[message.pk]),
        }
        status = 422 if form.errors else 200
        return TemplateResponse(request, "notifications/resend.html", context, status=status)

    def _send(
        self, request: HttpRequest, message: Notification, form: RecipientForm
    ) -> Notification:
        """Queue the copy with the operator's name, and say so; a repeat finds it."""
        copy, is_new = resend_once(message, to=form.recipient, key=form.cleaned_data["key"])
        if is_new:
            label = AGAIN if copy.recipient == message.recipient else ELSEWHERE
            note(label, [message], user_id=request.user.pk)
            self.record_action(request, label, [copy])
        recipient = isolate(readable_address(copy.recipient))
        if is_new:
            says = _("The message goes to %(recipient)s: the copy is queued.")
            messages.success(request, says % {"recipient": recipient})
        else:
            says = _("This page has sent its copy to %(recipient)s already.")
            messages.warning(request, says % {"recipient": recipient})
        return copy


def _url(message: Notification) -> str:
    return reverse("admin:notifications_notification_resend", args=[message.pk])
