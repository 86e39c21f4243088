"""Lists that can be exported: the file holds what the list shows, in its order and language.

`export.csv` beside a list's address takes the list's own parameters, and answers while it reads.
XLSX needs its whole file before it can be sent, so a desk job writes it (`orders.desk_jobs`).
"""

from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.views.decorators.http import require_safe
from unfold.admin import ModelAdmin

from project.database.keys import time_ordered_key
from project.desk.audit_log import record_export, record_exported
from project.desk.chosen_filters import untranslated_filters
from project.desk.csv_stream import Finish, csv_response
from project.desk.loading import load_desk
from project.desk.saved_views import SavedViewPages
from project.desk.sheets import Sheet
from project.replica.reading import read_lagging, source_for


class ExportList(SavedViewPages, ModelAdmin):
    """A ModelAdmin whose list can be exported. The first sheet is that of the list's own rows."""

    change_list_template = "desk/list.html"
    sheets: tuple[Sheet, ...] = ()

    def get_sheets(self) -> tuple[Sheet, ...]:
        """Return the sheets; for lists whose columns need the ModelAdmin itself."""
        return self.sheets

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_safe(self._export_view))
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("export.csv", view, name=f"{name}_export"),
            path("export-<slug:name>.csv", view, name=f"{name}_export_sheet"),
            *super().get_urls(),
        ]

    def _export_view(self, request: HttpRequest, name: str = "") -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        sheet = self.sheet(name)
        listed = read_lagging(request, partial(self._listed, request))

        def begin() -> Finish:
            entry = record_export(
                user_id=_signed_in(request),
                model=self.model,
                label=sheet.label,
                format="CSV",
                filters=untranslated_filters(listed),
            )
            return lambda rows, is_cut: record_exported(entry, rows=rows, is_cut=is_cut)

        shown = listed.queryset.using(source_for(request))
        return csv_response(sheet, shown, begin=begin)

    def sheet(self, name: str = "") -> Sheet:
        """Return the sheet of this name, or the list's own. Raises Http404."""
        for sheet in self.get_sheets():
            if name in ("", sheet.name):
                return sheet
        raise Http404

    def shown(self, request: HttpRequest) -> QuerySet[Any]:
        """Return all rows of the list that the request's parameters ask for, in its order.

        Raises BadRequest for parameters that the list doesn't have.
        """
        return self._listed(request).queryset

    def record_workbook(self, request: HttpRequest, sheet: Sheet, *, rows: int) -> None:
        """Write into the audit log that a workbook of the request's list was made."""
        record_export(
            user_id=_signed_in(request),
            model=self.model,
            label=sheet.label,
            format="XLSX",
            filters=untranslated_filters(self._listed(request)),
            rows=rows,
        )

    def _listed(self, request: HttpRequest) -> Any:
        try:
            return self.get_changelist_instance(request)
        except IncorrectLookupParameters as error:
            raise BadRequest("these aren't the list's parameters") from error

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        name = f"{self.opts.app_label}.{self.opts.model_name}"
        exports = {
            "sheets": [
                (sheet, "export.csv" if not number else f"export-{sheet.name}.csv")
                for number, sheet in enumerate(self.get_sheets())
            ],
            "workbook_url": _workbook_url(request),
            "list": name,
            "key": time_ordered_key(),
        }
        return super().changelist_view(request, {"exports": exports, **(extra_context or {})})


def _workbook_url(request: HttpRequest) -> str:
    """Return where a workbook is asked for; empty for users who couldn't see its job."""
    if not request.user.has_perm("orders.view_deskjob"):
        return ""
    try:
        return reverse("admin:orders_deskjob_workbook")
    except NoReverseMatch:  # a project without our shop
        return ""


def export_list(name: str) -> ExportList | None:
    """Return the list of this name, such as `orders.order`; None if there is none to export."""
    load_desk()  # a worker that makes the file has no URLs
    for model, desk in admin.site._registry.items():
        if model._meta.label_lower == name and isinstance(desk, ExportList) and desk.get_sheets():
            return desk
    return None


def _signed_in(request: HttpRequest) -> int:
    """Return the operator's id: the desk lets nobody in who isn't signed in."""
    assert request.user.pk is not None
    return int(request.user.pk)
