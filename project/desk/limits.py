"""The desk's pages of limits: their values, and the keys that they count."""

from contextlib import suppress
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display

from project.desk.address_search import searched_address
from project.desk.audit_log import LoggedActions
from project.desk.editing import EditAdmin, EditForm
from project.desk.jobs import in_zone, isolated, moment
from project.desk.long_lists import LongList
from project.desk.search_terms import phone_endings
from project.limits.client_address import counted_form
from project.limits.known import SMS, KnownLimit, key_in_words, known_limits, label_of
from project.limits.rates import UNLIMITED, Rate
from project.models import Limit, LimitCounter


def warn_of_reached_caps(request: HttpRequest) -> None:
    """Show on the page the caps of SMS that are reached: their messages wait."""
    # By their names, which an index has: keys of other limits are as many as customers.
    names = [name for name in known_limits() if name.startswith(f"{SMS}:")]
    caps = LimitCounter.objects.blocked().filter(name__in=names)
    for counter in caps:
        words = _("%(limit)s: the %(count)d of today are sent, so further ones wait.")
        values = {"limit": label_of(counter.name), "count": counter.allowed}
        messages.warning(request, words % values)


class LimitForm(EditForm, forms.ModelForm):
    def clean(self) -> dict[str, Any]:
        """Require number and period, or neither; a cap of SMS is always for a day."""
        values: dict[str, Any] = super().clean() or {}
        if self.instance.name.startswith(f"{SMS}:"):
            is_changed = values.get("allowed") is not None
            values["seconds"] = Limit.Period.DAY if is_changed else None
        if (values.get("allowed") is None) != (values.get("seconds") is None):
            raise ValidationError(_("Give a number and its period, or neither."))
        return values

    def changed_columns(self) -> list[str]:
        """Add the period to a changed number: the one goes with the other."""
        columns = super().changed_columns()
        if "allowed" in columns and "seconds" not in columns:
            columns.append("seconds")
        return columns


@admin.register(Limit)
class LimitAdmin(EditAdmin):
    """Every limit with its value. An empty one follows its setting."""

    form = LimitForm
    asks_reason = True
    list_display = ("label", "in_force", "by_setting", "blocked")
    fields = ("label", "by_setting", "allowed", "seconds")
    readonly_fields = ("label", "by_setting")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        # A limit that nobody changed has no row yet, and could not be opened.
        Limit.objects.bulk_create(
            [Limit(name=name) for name in known_limits()], ignore_conflicts=True
        )
        if settings.ORDER_LIMITS is None:
            messages.warning(request, _("ORDER_LIMITS is off: orders aren't counted."))
        if not settings.SMS_DAILY_CAP:
            messages.warning(request, _("SMS_DAILY_CAP is off: SMS aren't counted."))
        warn_of_reached_caps(request)
        return super().changelist_view(request, extra_context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Limit]:
        return super().get_queryset(request).filter(name__in=known_limits())

    @display(description=_("limit"), ordering="name")
    def label(self, limit: Limit) -> str:
        return label_of(limit.name)

    @display(description=_("in force"))
    def in_force(self, limit: Limit) -> str:
        known = known_limits()[limit.name]
        if known.is_off or limit.allowed is None or limit.seconds is None:
            return _in_words(known)
        return _rate_in_words(Rate(limit.allowed, limit.seconds))

    @display(description=_("by the setting"))
    def by_setting(self, limit: Limit) -> str:
        return _in_words(known_limits().get(limit.name, KnownLimit(limit.name, UNLIMITED)))

    @display(description=_("at the limit now"))
    def blocked(self, limit: Limit) -> int:
        return LimitCounter.objects.blocked().filter(name=limit.name).count()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class BlockedFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("blocked", _("at the limit"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "blocked":
            return queryset & LimitCounter.objects.blocked()
        return queryset


class LimitFilter(admin.SimpleListFilter):
    title = _("limit")
    parameter_name = "limit"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [(name, label_of(name)) for name in known_limits()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(name=self.value()) if self.value() else queryset


@admin.register(LimitCounter)
class LimitCounterAdmin(LoggedActions, LongList):
    """The keys that are counted now. A key that is cleared starts from zero."""

    fields = ("label", "key_shown", "count", "until")
    list_display = ("key_shown", "label", "state", "count", "until")
    list_display_links = None
    list_filter = (BlockedFilter, LimitFilter)
    search_fields = ("key",)
    search_help_text = _("An address, an e-mail address or a phone number.")
    ordering = ("-ends_at", "-pk")
    sortable = {"until": ("ends_at", "pk")}
    actions = ("clear",)

    def matches(self, text: str) -> Q:
        keys = {text, searched_address(text), searched_address(text).lower()}
        keys |= {f"+{ending}" for ending in phone_endings(text)}
        with suppress(ValueError):
            keys.add(counted_form(text))
        # With the names, the key of the table finds it.
        return Q(name__in=list(known_limits()), key__in=sorted(keys))

    def get_queryset(self, request: HttpRequest) -> QuerySet[LimitCounter]:
        return super().get_queryset(request) & LimitCounter.objects.current()

    @display(description=_("key"), ordering="key")
    def key_shown(self, counter: LimitCounter) -> SafeString:
        return isolated(key_in_words(counter.name, counter.key))

    @display(description=_("limit"), ordering="name")
    def label(self, counter: LimitCounter) -> str:
        return label_of(counter.name)

    @display(description=_("state"), label={"blocked": "danger", "open": "success"})
    def state(self, counter: LimitCounter) -> tuple[str, Any]:
        if counter.used >= counter.allowed:
            return "blocked", _("at the limit")
        return "open", _("below the limit")

    @display(description=_("counted"), ordering="used")
    def count(self, counter: LimitCounter) -> str:
        return f"{counter.used} / {counter.allowed}"

    @display(description=in_zone(_("counted until")), ordering="ends_at")
    def until(self, counter: LimitCounter) -> SafeString:
        return moment(counter.ends_at)

    @action(description=_("Clear: count from zero"), permissions=["clear"])
    def clear(self, request: HttpRequest, queryset: QuerySet[LimitCounter]) -> None:
        # One by one: a statement that locks several rows in no order could deadlock with orders.
        cleared = sum(
            LimitCounter.objects.filter(pk=key).delete()[0]
            for key in queryset.values_list("pk", flat=True)
        )
        words = ngettext("%(count)d key is cleared.", "%(count)d keys are cleared.", cleared)
        messages.success(request, words % {"count": cleared})

    def has_clear_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("project.delete_limitcounter")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _in_words(limit: KnownLimit) -> str:
    return str(_("off")) if limit.is_off else _rate_in_words(limit.rate)


def _rate_in_words(rate: Rate) -> str:
    if not rate.allowed:
        return str(_("no limit"))
    period = Limit.Period(rate.seconds).label
    return _("%(number)d %(period)s") % {"number": rate.allowed, "period": period}
