"""API clients at the desk: their limits, and their keys, which are shown once."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, Q, QuerySet
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from orders.clients.keys import create_client, make_key, rename_user, revoke_key, username_of
from orders.clients.scopes import PERMISSIONS, SCOPES
from orders.desk.date_time_widget import DateTimeWidget
from orders.models import ApiClient, ApiKey, User
from project.desk.confirming import confirm_page
from project.desk.editing import EditForm
from project.desk.jobs import in_zone, moment
from project.desk.record_page import RecordPage


class ApiClientForm(EditForm, forms.ModelForm):
    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        other = User.objects.filter(username=username_of(name)).exclude(pk=self.instance.user_id)
        if other.exists():
            raise forms.ValidationError(_("Another client has this name."))
        return name


class KeyForm(forms.Form):
    """What a new key may do, and until when it works."""

    scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        help_text=_("What the key may do. No scope includes another one."),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    expires_at = forms.DateTimeField(
        label=in_zone(_("Expires")),
        help_text=_("Empty: it works until it is revoked."),
        required=False,
        widget=DateTimeWidget,
    )

    def __init__(self, *args: Any, scopes: list[str], **options: Any) -> None:
        super().__init__(*args, **options)
        field: Any = self.fields["scopes"]
        field.choices = [(scope, f"{scope} – {SCOPES[scope]}") for scope in scopes]

    def clean_expires_at(self) -> datetime | None:
        at: datetime | None = self.cleaned_data["expires_at"]
        if at is not None and at < timezone.now():
            raise forms.ValidationError(_("This time is in the past. Choose a later one."))
        return at


@admin.register(ApiClient)
class ApiClientAdmin(RecordPage):
    form = ApiClientForm
    list_display = ("name", "state", "usable_keys", "last_used", "limit")
    list_filter = ("is_active",)
    search_fields = ("name", "keys__prefix")
    search_help_text = _("Name, or how a key begins.")
    fields = ("name", "is_active", "requests_per_minute")
    change_form_template = "desk/api_client.html"
    actions_detail = ("make_key",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        usable = Q(keys__revoked_at=None) & (
            Q(keys__expires_at=None) | Q(keys__expires_at__gt=Now())
        )
        return (
            super()
            .get_queryset(request)
            .annotate(usable=Count("keys", filter=usable), used_at=Max("keys__last_used_at"))
        )

    @display(
        description=_("state"), ordering="is_active", label={"on": "success", "off": "warning"}
    )
    def state(self, client: ApiClient) -> tuple[str, Any]:
        return ("on", _("active")) if client.is_active else ("off", _("switched off"))

    @display(description=_("usable keys"))
    def usable_keys(self, client: Any) -> int:
        return int(client.usable)

    @display(description=in_zone(_("last used")))
    def last_used(self, client: Any) -> SafeString:
        return moment(client.used_at)

    @display(description=_("requests a minute"), ordering="requests_per_minute")
    def limit(self, client: ApiClient) -> str:
        return str(client.requests_per_minute or "–")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # ledgers name it: it is switched off

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            rename_user(obj)
            return
        made = create_client(name=obj.name, requests_per_minute=obj.requests_per_minute)
        obj.pk, obj.user_id = made.pk, made.user_id
        if not obj.is_active:
            obj.save(update_fields=["is_active"])

    def page_context(self, request: HttpRequest, record: ApiClient) -> dict[str, Any]:
        now = timezone.now()
        keys = record.keys.select_related("created_by")
        return {
            "client": record,
            "keys": [(key, *_state(key, now=now)) for key in keys],
            "may_change": self.has_change_permission(request),
        }

    # ── Keys ───────────────────────────────────────────────────────────────────────────────────

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self._revoke)
        address = "<int:client_id>/keys/<int:key_id>/revoke/"
        return [path(address, view, name="orders_apiclient_revoke_key"), *super().get_urls()]

    def has_make_key_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_change_permission(request)

    @action(description=_("Make a key"), url_path="make-key", icon="key", permissions=["make_key"])
    def make_key(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Ask for scopes and end; then show the key once. No browser stores a page of the desk."""
        client = self._wanted(object_id)
        form = KeyForm(
            request.POST if request.method == "POST" else None,
            scopes=_offered(request),
            initial={"scopes": _scopes_before(client)},
        )
        made = None
        if form.is_valid():
            assert isinstance(request.user, User)  # the desk requires sign-in
            made = make_key(client, **form.cleaned_data, user=request.user)
            self.record_action(request, _("Make a key"), [client], reason=f"{made.key.prefix}…")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Make a key"),
            "subtitle": client.name,
            "opts": self.opts,
            "original": client,
            "form": form,
            "made": made,
        }
        status = 422 if form.errors else 200
        return TemplateResponse(request, "desk/api_key.html", context, status=status)

    def _revoke(self, request: HttpRequest, client_id: int, key_id: int) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        key = get_object_or_404(
            ApiKey.objects.select_related("client"), pk=key_id, client=client_id
        )
        back = reverse("admin:orders_apiclient_change", args=[client_id])
        if request.method != "POST":
            return confirm_page(
                request,
                title=_("Revoke a key"),
                question=_("Revoke this key? It never works again."),
                label=_("Revoke"),
                back=back,
                facts=[
                    (_("API client"), key.client.name),
                    (_("begins with"), key),
                    (_("last used"), moment(key.last_used_at)),
                ],
                is_final=True,
                opts=self.opts,
                original=key.client,
            )
        if revoke_key(key.pk):
            self.record_action(request, _("Revoke a key"), [key.client], reason=str(key))
            messages.success(request, _("The key is revoked."))
        else:
            messages.info(request, _("The key was revoked before."))
        return redirect(back)

    def _wanted(self, object_id: str) -> ApiClient:
        if not object_id.isdecimal():
            raise Http404
        return get_object_or_404(ApiClient, pk=object_id)


def _offered(request: HttpRequest) -> list[str]:
    """Return the scopes that the operator may give."""
    return [scope for scope in SCOPES if request.user.has_perms(PERMISSIONS[scope])]


def _scopes_before(client: ApiClient) -> list[str]:
    """Return the scopes of the client's newest key: a key that replaces it has the same."""
    newest = client.keys.order_by("-pk").first()
    return list(newest.scopes) if newest else []


def _state(key: ApiKey, *, now: datetime) -> tuple[str, Any]:
    """Return the colour of the key's state, and its word."""
    if key.revoked_at is not None:
        return "danger", _("revoked")
    return ("success", _("usable")) if key.is_usable(now=now) else ("warning", _("expired"))
