"""Saved views: a list's filters, search and order under a name, for one operator or for all."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from project.desk.list_requests import list_request
from project.models import SavedView

MOST_SAVED = 30
"""Views of one operator of one list: more don't fit above it."""


class SavedViewForm(forms.ModelForm):
    """The name of a view, and what it shows."""

    class Meta:
        model = SavedView
        fields = ("name", "query", "is_shared")


class SavedViewPages:
    """A mixin of ModelAdmins: the views above the list, and where they are saved and deleted."""

    admin_site: Any
    opts: Any
    has_view_permission: Callable[..., bool]
    get_changelist_instance: Callable[[HttpRequest], Any]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("views/", view(require_POST(self._save_saved)), name=f"{name}_save_view"),
            path(
                "views/<int:view_id>/delete/",
                view(require_POST(self._delete_saved)),
                name=f"{name}_delete_view",
            ),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        asked = _without_page(request.GET)
        views = [
            (view, view.query == asked, self._may_delete(request, view))
            for view in self._saved_views(request)
        ]
        context = {
            "saved_views": views,
            "is_saved": any(is_shown for _view, is_shown, _may_delete in views),
            "asked": asked,
            "may_share": request.user.has_perm("project.add_savedview"),
            "list_url": self._list_url(),
        }
        return super().changelist_view(  # type: ignore[misc]
            request, {**context, **(extra_context or {})}
        )

    def _saved_views(self, request: HttpRequest) -> QuerySet[SavedView]:
        """Return the user's own views of this list, and the shared ones."""
        mine = Q(owner=request.user.pk) | Q(is_shared=True)
        return SavedView.objects.filter(mine, list=self.opts.label_lower)

    def _may_delete(self, request: HttpRequest, view: SavedView) -> bool:
        is_own = view.owner_id == request.user.pk
        return is_own or request.user.has_perm("project.delete_savedview")

    def _list_url(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def _save_saved(self, request: HttpRequest) -> HttpResponse:
        """Save what the list shows under a name; the user's view of that name is replaced."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = SavedViewForm(request.POST)
        query = _without_page(QueryDict(request.POST.get("query", "")[:2000]))
        back = f"{self._list_url()}?{query}" if query else self._list_url()
        if not form.is_valid() or not query:
            messages.warning(request, _("Filter the list, and give the view a name."))
            return redirect(back)
        is_shared = form.cleaned_data["is_shared"]
        if is_shared and not request.user.has_perm("project.add_savedview"):
            raise PermissionDenied
        if not self._is_shown(request, query):
            messages.warning(request, _("The list has no such filter."))
            return redirect(self._list_url())
        own = SavedView.objects.filter(owner=request.user.pk, list=self.opts.label_lower)
        name = form.cleaned_data["name"]
        if own.exclude(name=name).count() >= MOST_SAVED:
            text = _("You have %(count)d views of this list. Delete one first.")
            messages.warning(request, text % {"count": MOST_SAVED})
            return redirect(back)
        SavedView.objects.update_or_create(
            owner_id=request.user.pk,
            list=self.opts.label_lower,
            name=name,
            defaults={"query": query, "is_shared": is_shared},
        )
        messages.success(request, _("The view is saved."))
        return redirect(back)

    def _delete_saved(self, request: HttpRequest, view_id: int) -> HttpResponse:
        view = get_object_or_404(self._saved_views(request), pk=view_id)
        if not self.has_view_permission(request) or not self._may_delete(request, view):
            raise PermissionDenied
        view.delete()
        messages.success(request, _("The view is deleted."))
        return redirect(self._list_url())

    def _is_shown(self, request: HttpRequest, query: str) -> bool:
        """Return True if the list knows the parameters."""
        try:
            self.get_changelist_instance(list_request(user=request.user, query=query))
        except (IncorrectLookupParameters, BadRequest, SuspiciousOperation):
            return False
        return True


def _without_page(given: QueryDict) -> str:
    """Return the parameters that make a view, sorted: not the page, and none that is empty."""
    return urlencode(
        sorted(
            (name, value)
            for name, values in given.lists()
            for value in values
            if value and name not in (PAGE_VAR, ERROR_FLAG)
        )
    )
