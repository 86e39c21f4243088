"""The ModelAdmin of rows that people edit: no save undoes what another changed meanwhile.

`project.opened_values` compares the page with the row. Here the row is locked first, only the
changed columns are written, and a refusal names the colleague.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, cast

from django import forms
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import override
from unfold.admin import ModelAdmin

from project.desk.audit_log import LoggedActions, form_values, formset_values, told
from project.desk.edit_log import editor_of
from project.opened_values import OpenedForm

OPENED_AT = "_opened_at"
"""The hidden input with the time at which the page was opened, in seconds since 1970."""
REASON = "_reason"
"""The input in which an operator may say why; the audit log keeps it."""
MAX_REASON = 200


class EditForm(OpenedForm, forms.BaseModelForm):
    """A mixin of model forms: it writes only the columns that the page changed."""

    def save(self, commit: bool = True) -> Any:
        if not commit or self.instance._state.adding or self.errors:
            return super().save(commit)
        self.instance.save(update_fields=self.changed_columns())
        self._save_m2m()  # type: ignore[attr-defined]
        return self.instance

    def changed_columns(self) -> list[str]:
        """Return the model's own columns among the changed fields, and those that each save sets.

        A form that computes further columns adds them.
        """
        return [
            field.name
            for field in self.instance._meta.concrete_fields
            if field.name in self.changed_data or getattr(field, "auto_now", False)
        ]

    def conflict_message(self, name: str, stored: str) -> str:
        user = self.changed_by(name)
        if user is None:
            return super().conflict_message(name, stored)
        return _("“%(field)s” was changed to “%(value)s” by %(user)s meanwhile.") % {
            "field": self[name].label,
            "value": stored,
            "user": user,
        }

    def logged_as(self) -> tuple[Model, str]:
        """Return the row under whose name the desk logs the form's changes, and its part of it."""
        return self.instance, ""

    def changed_by(self, name: str) -> str | None:
        """Return the user who changed the field at the desk since the page was opened, if any."""
        try:
            opened_at = datetime.fromtimestamp(float(self.data.get(OPENED_AT, "")), tz=UTC)
        except (ValueError, OverflowError, OSError):
            return None
        with override(None):  # the log has the untranslated labels
            label = str(self[name].label)
        row, part = self.logged_as()
        return editor_of(row, label=label, since=opened_at, part=part)


def edit_form(form: type[forms.BaseModelForm]) -> type[forms.BaseModelForm]:
    """Return the form as an EditForm."""
    if issubclass(form, EditForm):
        return form
    return cast(type[forms.BaseModelForm], type(form.__name__, (EditForm, form), {}))


class EditAdmin(LoggedActions, ModelAdmin):
    """The base of every ModelAdmin whose rows people change; its log tells old and new values."""

    change_form_before_template = "desk/opened_at.html"
    change_form_after_template = "desk/reason.html"
    object_history_template = "desk/history.html"
    asks_reason = False
    """Show the input for a reason below the form."""

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any
    ) -> Any:
        form = super().get_form(request, obj, change, **options)
        return edit_form(form) if change else form

    def get_changelist_form(self, request: HttpRequest, **options: Any) -> Any:
        return edit_form(super().get_changelist_form(request, **options))

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> list[dict[str, Any]]:
        """Return Django's message with the values, old and new, and the operator's reason."""
        message: list[dict[str, Any]] = super().construct_change_message(
            request, form, formsets, add
        )
        if values := form_values(form, is_new=add):
            message.append({"values": values})
        for formset in formsets or ():
            message += formset_values(formset)
        if reason := request.POST.get(REASON, "").strip()[:MAX_REASON]:
            message.append({"reason": reason})
        return message

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response = super().history_view(request, object_id, extra_context)
        context = getattr(response, "context_data", None)
        if context is not None:
            context["entries"] = [(entry, told(entry)) for entry in context["action_list"]]
        return response

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=form.changed_columns())
        else:
            super().save_model(request, obj, form, change)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method != "POST" or object_id is None:
            return super().changeform_view(request, object_id, form_url, extra_context)
        with transaction.atomic():
            self._lock([unquote(object_id)])
            return super().changeform_view(request, object_id, form_url, extra_context)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        if request.method != "POST" or "_save" not in request.POST:
            return super().changelist_view(request, extra_context)
        with transaction.atomic():
            self._lock(
                str(value)
                for name, value in request.POST.items()
                if name.startswith("form-") and name.endswith(f"-{self.opts.pk.name}")
            )
            return super().changelist_view(request, extra_context)

    def _lock(self, keys: Iterable[str]) -> None:
        """Lock the rows until the commit; the foreign keys of other tables don't wait for it."""
        known = []
        for key in keys:
            with suppress(ValidationError, ValueError):  # Django answers that there is no such row
                known.append(self.opts.pk.to_python(key))
        rows = self.model._base_manager.filter(pk__in=known).order_by("pk")
        list(rows.select_for_update(no_key=True).values_list("pk"))
