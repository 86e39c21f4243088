"""A day and a time, typed at the desk."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget


class MomentWidget(UnfoldAdminTextInputWidget, forms.DateTimeInput):
    """The browser's own field for a day and a time, in the shop's time zone."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.format = "%Y-%m-%dT%H:%M"
