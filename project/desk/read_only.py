"""Admin pages that show rows which only the processes write."""

from typing import Any

from django.http import HttpRequest


class ReadOnly:
    """A mixin before `ModelAdmin`: no user may add, change or delete a row by its forms.

    An admin's own views and actions have checks of their own.
    """

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
