"""The key of a page that queues work: its form carries it, so that the work is queued once.

A double click, Back and reload send the same key. A page from before it had one sends none.
"""

from uuid import UUID

from django import forms
from django.http import HttpRequest

from project.database.keys import time_ordered_key

KEY = "key"


class KeyField(forms.UUIDField):
    """The hidden key of a form."""

    widget = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(required=False, initial=time_ordered_key)

    def clean(self, value: object) -> UUID:
        return super().clean(value) or time_ordered_key()


def sent_key(request: HttpRequest) -> UUID:
    """Return the key that the page sent, or a new one."""
    try:
        return UUID(request.POST.get(KEY, ""))
    except ValueError:
        return time_ordered_key()
