"""Announcements at the desk: pages to write, preview, schedule, follow and stop them."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from unfold.decorators import action, display

from orders.desk.date_time_widget import DateTimeWidget
from orders.desk_jobs.kinds import ANNOUNCE, STOP_ANNOUNCEMENT
from orders.messages import announcements
from orders.models import Announcement
from project.desk.confirming import confirm_page
from project.desk.edit_log import last_editor
from project.desk.jobs import in_zone, moment
from project.desk.record_page import RecordPage
from project.jobs.queryset import Status

State = Announcement.Status
COLOURS = {
    State.DRAFT.value: "",
    State.SCHEDULED.value: "info",
    State.SENDING.value: "primary",
    State.SENT.value: "success",
    State.STOPPED.value: "warning",
}


class AnnouncementForm(forms.ModelForm):
    class Meta:
        model = Announcement
        fields = Announcement.TEXTS

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if bool(values.get("subject_zh_hans")) != bool(values.get("text_zh_hans")):
            raise ValidationError(_("In Chinese, write both subject and text, or neither."))
        return values


class SendForm(forms.Form):
    """The time at which the announcement is sent, and which texts the page shows."""

    at = forms.DateTimeField(
        label=in_zone(_("Send at")),
        help_text=_("Empty: now."),
        required=False,
        widget=DateTimeWidget,
    )
    shown = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)
    """The digest of the texts; a page that was opened before the software had it, has none."""

    def clean_at(self) -> Any:
        at = self.cleaned_data["at"]
        if at is not None and at < timezone.now():
            raise ValidationError(_("This time is in the past. Choose a later one."))
        return at


@admin.register(Announcement)
class AnnouncementAdmin(RecordPage):
    form = AnnouncementForm
    list_display = ("subject_en", "state", "send_time", "recipients", "finished", "user")
    list_select_related = ("user",)
    list_filter = ("status",)
    search_fields = ("subject_en", "subject_zh_hans")
    fieldsets = (
        (_("English"), {"fields": ("subject_en", "text_en")}),
        (
            _("Chinese"),
            {
                "fields": ("subject_zh_hans", "text_zh_hans"),
                "description": _("Without it, everybody gets the English text."),
            },
        ),
    )
    change_form_template = "desk/announcement.html"
    actions_detail = ("send", "withdraw", "stop", "go_on")

    @display(description=_("status"), ordering="status", label=COLOURS)
    def state(self, announcement: Announcement) -> tuple[str, str]:
        return announcement.status, announcement.get_status_display()

    @display(description=in_zone(_("send at")), ordering="send_at")
    def send_time(self, announcement: Announcement) -> SafeString:
        return moment(announcement.send_at)

    @display(description=in_zone(_("finished")), ordering="finished_at")
    def finished(self, announcement: Announcement) -> SafeString:
        return moment(announcement.finished_at)

    # ── Permissions ────────────────────────────────────────────────────────────────────────────

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_draft = obj is None or obj.status == State.DRAFT
        return is_draft and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_draft = obj is None or obj.status == State.DRAFT
        return is_draft and super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Return no actions: the bulk delete wouldn't check that announcements are drafts."""
        return {}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
            return
        # The page may be older than the decision to send: only a draft may be changed.
        draft = Announcement.objects.filter(pk=obj.pk, status=State.DRAFT)
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        if not (draft.update(**changes) if changes else draft.exists()):
            raise PermissionDenied

    def has_decide_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Tell who may send, withdraw and stop; `_possible` tells what the state allows."""
        return super().has_change_permission(request)

    # ── What its state allows ──────────────────────────────────────────────────────────────────

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Return the buttons of the steps that are possible now."""
        announcement = self.get_object(request, object_id)
        possible = _possible_steps(announcement) if announcement else set()
        return [
            button
            for button in super().get_actions_detail(request, object_id)
            if button.method.original_function_name in possible
        ]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **options: Any) -> Any:
        """Refuse what a page that was opened as a draft's still sends, in words."""
        if request.method == "POST" and super().has_change_permission(request):
            announcement = self.get_object(request, object_id)
            if announcement and announcement.status != State.DRAFT:
                return self._too_late(request, announcement)
        return super().change_view(request, object_id, *args, **options)

    # ── Send, withdraw, stop ───────────────────────────────────────────────────────────────────

    @action(description=_("Send"), url_path="send", icon="send", permissions=["decide"])
    def send(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Show the message and the number of recipients, and ask for the time."""
        announcement = self._wanted(object_id)
        if "send" not in _possible_steps(announcement):
            return self._too_late(request, announcement)
        form = SendForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            at = form.cleaned_data["at"]
            try:
                is_planned = announcements.plan(
                    announcement.pk,
                    at=at,
                    user_id=request.user.pk,
                    shown=form.cleaned_data["shown"],
                )
            except announcements.RewrittenError:
                announcement = self._wanted(object_id)
            else:
                if not is_planned:
                    return self._too_late(request, announcement)
                self.record_action(request, _("Send"), [announcement])
                if at:
                    messages.success(request, _("The announcement goes out at its time."))
                else:
                    messages.success(request, _("It goes out now."))
                return self._back(announcement)
        shown = announcements.texts_digest(announcement)
        if form.is_bound and form.data.get("shown") != shown:
            form.add_error(None, _rewritten(announcement))
        languages = announcements.audience().order_by().values("language").annotate(n=Count("pk"))
        found = {row["language"] or settings.LANGUAGE_CODE: 0 for row in languages}
        for row in languages:
            found[row["language"] or settings.LANGUAGE_CODE] += row["n"]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Send"),
            "subtitle": announcement.subject_en,
            "opts": self.opts,
            "original": announcement,
            "form": form,
            "shown": shown,
            "readers": sum(found.values()),
            "versions": [
                (name, found.get(code, 0), *announcement.words(code))
                for code, name in settings.LANGUAGES
            ],
        }
        status = 422 if form.errors else 200
        return TemplateResponse(request, "desk/announcement_send.html", context, status=status)

    @action(
        description=_("Back to draft"), url_path="withdraw", icon="undo", permissions=["decide"]
    )
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._decide(
            request,
            object_id,
            step="withdraw",
            question=_("Make a draft of it again? Nothing has been sent yet."),
            decide=lambda pk: _("It is a draft again.") if announcements.withdraw(pk) else None,
        )

    @action(description=_("Stop"), url_path="stop", icon="stop_circle", permissions=["decide"])
    def stop(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._decide(
            request,
            object_id,
            step="stop",
            question=_("Stop sending? What has been sent can't be taken back."),
            decide=lambda pk: _stop(pk, user_id=request.user.pk),
        )

    @action(description=_("Go on"), url_path="go-on", icon="replay", permissions=["decide"])
    def go_on(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._decide(
            request,
            object_id,
            step="go_on",
            question=_("Let its job go on where it ended?"),
            decide=lambda pk: _("Its job goes on.") if announcements.go_on(pk) else None,
        )

    def _decide(
        self, request: HttpRequest, object_id: str, *, step: str, question: Any, decide: Any
    ) -> HttpResponseBase:
        announcement = self._wanted(object_id)
        if step not in _possible_steps(announcement):
            return self._too_late(request, announcement)
        if request.method != "POST":
            return confirm_page(
                request,
                title=announcement.subject_en,
                question=question,
                back=reverse("admin:orders_announcement_change", args=[announcement.pk]),
                opts=self.opts,
                original=announcement,
            )
        says = decide(announcement.pk)
        if not says:
            return self._too_late(request, announcement)
        self.record_action(request, says, [announcement])
        messages.success(request, says)
        return self._back(announcement)

    def _too_late(self, request: HttpRequest, announcement: Announcement) -> HttpResponseBase:
        """Say that a page is older than somebody's decision, and lead to what it is now."""
        messages.warning(request, _("Too late: its status has changed."))
        return self._back(announcement)

    def _wanted(self, object_id: str) -> Announcement:
        if not object_id.isdecimal():
            raise Http404
        return get_object_or_404(Announcement, pk=object_id)

    def _back(self, announcement: Announcement) -> HttpResponseBase:
        return redirect("admin:orders_announcement_change", announcement.pk)

    # ── Progress ───────────────────────────────────────────────────────────────────────────────

    def get_urls(self) -> list[URLPattern]:
        state = path(
            "<int:pk>/state/",
            self.admin_site.admin_view(require_safe(self._state_view)),
            name="orders_announcement_state",
        )
        return [state, *super().get_urls()]

    def _state_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        announcement = get_object_or_404(Announcement, pk=pk)
        if not self.has_view_permission(request, announcement):
            raise PermissionDenied
        context = _progress(announcement)
        response = render(request, "desk/announcement_state.html", context)
        if not context["state_url"]:
            response["HX-Refresh"] = "true"
        return response

    def page_context(self, request: HttpRequest, announcement: Announcement) -> dict[str, Any]:
        return _progress(announcement)


def _possible_steps(announcement: Announcement) -> set[str]:
    """Return the names of the steps that the announcement's state allows."""
    if announcement.status == State.DRAFT:
        return {"send"}
    if announcement.status == State.SCHEDULED:
        return {"withdraw"}
    if announcement.status not in (State.SENDING, State.STOPPED):
        return set()
    steps = {"stop"} if announcements.may_stop(announcement.pk) else set()
    return steps | ({"go_on"} if announcements.stall(announcement) is not None else set())


def _rewritten(announcement: Announcement) -> str:
    user = last_editor(announcement)
    if user is None:
        return str(_("The text isn't the one that your page showed. Read this one, then send it."))
    says = _("The text was changed by %(user)s meanwhile. Read this one, then send it.")
    return str(says % {"user": user})


def _stop(pk: int, *, user_id: int | None) -> Any:
    if not announcements.stop(pk, user_id=user_id):
        return None
    return _("Stopped: nothing more is sent. The messages that wait are being cancelled.")


STALLED = {
    ANNOUNCE: _("Its messages are not all queued: the job that queues them has ended."),
    STOP_ANNOUNCEMENT: _("Nothing more is sent, but messages still wait to be cancelled."),
}


def _progress(announcement: Announcement) -> dict[str, Any]:
    """Return the variables of the page's first line: the progress of the sending."""
    is_draft = announcement.status == State.DRAFT
    stopping = announcements.stopping(announcement)
    goes_on = announcement.status in (State.SCHEDULED, State.SENDING) or stopping is not None
    stall = announcements.stall(announcement)
    waits = announcement.status in (State.DRAFT, State.SCHEDULED)
    found = {} if waits else announcements.counts(announcement)
    expected = announcements.audience().count() if not announcement.queued_at else 0
    url = reverse("admin:notifications_notification_changelist")
    query = f"event=announcement&occasion={announcement.pk}"
    return {
        "announcement": announcement,
        "zone": settings.TIME_ZONE,
        "is_draft": is_draft,
        "stopping": stopping,
        "stall": stall and {"says": STALLED[stall.kind], "reason": stall.reason},
        "status_colour": COLOURS[announcement.status],
        "expected": max(expected, announcement.recipients),
        "sent": found.get(Status.DONE, 0),
        "figures": [
            (Status(status).label, count, f"{url}?{query}&status__exact={status}")
            for status, count in sorted(found.items())
        ],
        "state_url": reverse("admin:orders_announcement_state", args=[announcement.pk])
        if goes_on
        else "",
    }
