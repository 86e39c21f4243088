"""The audit log at the desk: everything that operators changed or did, newest first."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import display

from project.desk.audit_log import told
from project.desk.jobs import isolated, moment
from project.desk.read_only import ReadOnly


class PersonFilter(admin.SimpleListFilter):
    """The people who are in the log; accounts of shoppers aren't offered."""

    title = _("person")
    parameter_name = "person"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        people = get_user_model()._default_manager.filter(is_staff=True)
        return [(person.pk, person.get_username()) for person in people.order_by("username")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LogEntry]) -> QuerySet[LogEntry]:
        value = str(self.value() or "")
        return queryset.filter(user=int(value)) if value.isdecimal() else queryset


class KindFilter(admin.SimpleListFilter):
    """What was changed: an order, a product, a channel …"""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        known = {model._meta for model in admin.site._registry}
        named = ((opts.label_lower, str(opts.verbose_name)) for opts in known)
        return sorted(named, key=lambda pair: pair[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[LogEntry]) -> QuerySet[LogEntry]:
        app, _dot, model = (self.value() or "").partition(".")
        if not model:
            return queryset
        return queryset.filter(content_type__app_label=app, content_type__model=model)


@admin.register(LogEntry)
class AuditLogAdmin(ReadOnly, ModelAdmin):
    """Read-only, for everybody: also a superuser deletes no entry, nor a user who has one."""

    list_display = ("when", "who", "kind", "record", "what", "why")
    list_display_links = None
    list_select_related = ("user", "content_type")
    list_filter = (PersonFilter, KindFilter, ("action_time", RangeDateFilter))
    list_filter_submit = True
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("object_repr", "change_message", "user__username")
    search_help_text = _("Name of the record or person, a value, or words of the reason.")
    show_full_result_count = False

    @display(description=_("when"), ordering="pk")
    def when(self, entry: LogEntry) -> SafeString:
        return moment(entry.action_time)

    @display(description=_("by"), ordering="user")
    def who(self, entry: LogEntry) -> str:
        return isolated(entry.user.get_username())

    @display(description=_("kind"))
    def kind(self, entry: LogEntry) -> str:
        return entry.content_type.name if entry.content_type else "–"

    @display(description=_("record"))
    def record(self, entry: LogEntry) -> str | SafeString:
        kind = entry.content_type
        if not (kind and entry.object_id) or entry.is_deletion():
            return isolated(entry.object_repr or "–")
        try:
            url = reverse(f"admin:{kind.app_label}_{kind.model}_change", args=[entry.object_id])
        except NoReverseMatch:  # the kind has no page any more
            return isolated(entry.object_repr)
        return format_html(
            '<a href="{}" class="text-link"><bdi>{}</bdi></a>', url, entry.object_repr
        )

    @display(description=_("what"))
    def what(self, entry: LogEntry) -> SafeString:
        return render_to_string("desk/log_words.html", {"words": told(entry)})

    @display(description=_("why"))
    def why(self, entry: LogEntry) -> SafeString | str:
        reason = told(entry).reason
        return isolated(reason) if reason else "–"
