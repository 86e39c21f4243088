"""A record's page in the admin with a template of its own, beside or instead of the form."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from project.desk.editing import EditAdmin


class RecordPage(EditAdmin):
    """Subclasses return the variables of their `change_form_template` in `page_context`."""

    def page_context(self, request: HttpRequest, record: Any) -> dict[str, Any]:
        """Return the template's own variables for this record."""
        return {}

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        record = self.get_object(request, object_id)
        context = self.page_context(request, record) if record is not None else {}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))
