"""The input of a form's e-mail address: it sends the address as it was typed.

`<input type="email">` doesn't: Chromium rewrites the domain by IDNA 2003 before it sends the form
(`straße.example` as `strasse.example`, which belongs to somebody else), and the server can't see
that. So the input is a text with the keyboard of addresses, and the form's rule checks it.
"""

from typing import TypeVar

from django.forms.widgets import Input

W = TypeVar("W", bound=Input)


def sent_as_typed(widget: W) -> W:
    """Make the text widget send an e-mail address as it was typed, and return it."""
    widget.input_type = "text"
    widget.attrs |= {"inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}
    return widget
