"""The desk's form field widget for a date and a time."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget


class DateTimeWidget(UnfoldAdminTextInputWidget, forms.DateTimeInput):
    """The browser's own field for date and time, in the shop's time zone."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.format = "%Y-%m-%dT%H:%M"
