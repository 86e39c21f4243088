"""A record's page in the admin with a template of its own, beside or instead of the form."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from project.desk.editing import EditAdmin

KEPT = "_kept_record"
"""The name under which a request keeps the record that its page has read."""


class RecordPage(EditAdmin):
    """Subclasses return the variables of their `change_form_template` in `page_context`."""

    def page_context(self, request: HttpRequest, record: Any) -> dict[str, Any]:
        """Return the template's own variables for this record."""
        return {}

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Return the record; the one that `change_view` has just read isn't read again."""
        kept: Any = request.__dict__.pop(KEPT, None)
        if kept is not None and kept[0] == (self.model, object_id):
            return kept[1]
        return super().get_object(request, object_id, from_field)

    def _keep(self, request: HttpRequest, object_id: str, record: Any) -> None:
        """Keep the record for the look that Django takes to show it; a form locks it anew."""
        if request.method == "GET" and record is not None:
            request.__dict__[KEPT] = ((self.model, object_id), record)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        record = self.get_object(request, object_id)
        self._keep(request, object_id, record)
        context = self.page_context(request, record) if record is not None else {}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))
