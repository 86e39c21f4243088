"""Forms whose page carries the values that it was opened with, so that no save undoes another's.

Between the opening of a page and its save another person, a shopper or a sweep may change the same
row. `OpenedForm` compares three values of each field: as the page was opened, as it is sent, and as
it is stored now. A field that was only changed elsewhere keeps the stored value. A field that was
changed to different values on both sides is refused by name, and the form then carries the stored
value: a second save is a decision.

The page carries its values in Django's hidden initial inputs (`Field.show_hidden_initial`), so
`changed_data` is the set of fields that this page changed. A page without them was opened before
the software carried them, so nobody knows what it changed: every field that differs from the stored
value is refused by name, and the next save is a decision, too.

The caller must hold a lock on the row from before it reads it until the commit.
"""

from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms.boundfield import BoundField
from django.forms.fields import Field
from django.utils.formats import date_format
from django.utils.html import strip_tags
from django.utils.text import Truncator
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _

SHOWN_LENGTH = 80


class HiddenDateTime(forms.DateTimeInput):
    """A hidden input with the visible one's format, which may leave out the seconds."""

    input_type = "hidden"


class OpenedForm(forms.BaseForm):
    """A mixin of forms that change something stored (`initial`, or `instance`)."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.conflicts: dict[str, str] = {}
        """The stored values, in words, of the fields that were changed on both sides."""
        self.unknown: dict[str, str] = {}
        """The stored values, in words, of the fields that differ and came without an opened one."""
        if self.changes_something():
            self.carry_opened_values()

    def changes_something(self) -> bool:
        """Return False for a form that adds a new row: it can't undo anything."""
        instance: Model | None = getattr(self, "instance", None)
        return instance is None or not instance._state.adding

    def carry_opened_values(self) -> None:
        """Add the hidden inputs; in a form that was sent, keep what was changed elsewhere."""
        carrying = [name for name, field in self.fields.items() if _is_carried(field)]
        for name in carrying:
            field = self.fields[name]
            field.show_hidden_initial = True
            if isinstance(field.widget, forms.DateTimeInput):
                field.hidden_widget = partial(  # type: ignore[assignment]
                    HiddenDateTime, format=field.widget.format
                )
        if self.is_bound:
            self.data: Any = self.data.copy()
            is_new_page = any(not _is_omitted(self[name]) for name in carrying)
            for name in carrying:
                self._keep_stored(self[name], is_new_page=is_new_page)

    def _keep_stored(self, bound: BoundField, *, is_new_page: bool) -> None:
        field = bound.field
        hidden: Any = field.hidden_widget()
        stored = _sent(field.widget, field.prepare_value(bound.initial))
        # An empty list has no hidden inputs.
        is_empty_list = is_new_page and isinstance(hidden, forms.MultipleHiddenInput)
        opened = hidden.value_from_datadict(self.data, self.files, bound.html_initial_name)
        if _is_omitted(bound) and not is_empty_list:
            if not _is_same(field, bound.data, stored):
                self.unknown[bound.name] = in_words(field, bound.initial)
        elif not _is_same(field, opened, stored):
            if _is_same(field, bound.data, opened):
                _write(self.data, field.widget, bound.html_name, stored)
            elif not _is_same(field, bound.data, stored):
                self.conflicts[bound.name] = in_words(field, bound.initial)
        _write(self.data, hidden, bound.html_initial_name, stored)

    def clean(self) -> Any:
        """Refuse the fields that were changed on both sides, or nobody knows on which."""
        values = super().clean()
        if self.unknown:
            text = _(
                "This page was opened before the software was updated, so it doesn't tell what was"
                " changed meanwhile. What you entered is still here: look again, then save."
            )
            self.add_error(None, text)
        for name, stored in self.unknown.items():
            if name not in self.errors:
                text = _("“%(field)s” is now “%(value)s”.")
                self.add_error(name, text % {"field": self[name].label, "value": stored})
        for name, stored in self.conflicts.items():
            if name not in self.errors:
                self.add_error(name, self.conflict_message(name, stored))
        return self.cleaned_data if values is None else values

    def conflict_message(self, name: str, stored: str) -> str:
        """Return the refusal of a field that was changed on both sides."""
        return _("“%(field)s” was changed to “%(value)s” meanwhile.") % {
            "field": self[name].label,
            "value": stored,
        }


def in_words(field: Field, value: Any, *, most: int = SHOWN_LENGTH) -> str:
    """Return a field's stored value as people read it, in so many characters at most."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(field, forms.ModelChoiceField):
        with suppress(ValidationError):
            value = field.to_python(field.prepare_value(value))
        text = ", ".join(str(row) for row in value) if isinstance(value, list) else str(value or "")
    elif isinstance(value, datetime):
        text = date_format(localtime(value) if is_aware(value) else value, "Y-m-d H:i")
    elif isinstance(field, forms.ChoiceField):
        words: dict[Any, Any] = dict(field.choices)  # type: ignore[arg-type]
        chosen = value if isinstance(value, list) else [value]
        text = ", ".join(strip_tags(str(words.get(each, each))) for each in chosen)
    else:
        text = "" if value is None else str(value)
    return Truncator(text).chars(most) or "–"


def _is_carried(field: Field) -> bool:
    return not (field.disabled or field.widget.is_hidden or isinstance(field, forms.FileField))


def _is_omitted(bound: BoundField) -> bool:
    """Tell whether the sent page carries no opened value of the field."""
    hidden: Any = bound.field.hidden_widget()
    form: Any = bound.form
    return bool(hidden.value_omitted_from_data(form.data, form.files, bound.html_initial_name))


def _sent(widget: Any, value: Any) -> Any:
    """Return the value as the browser sends it back: a text, a list of texts, or a box's bool."""
    widget = getattr(widget, "widget", widget)  # the admin wraps the choice of related rows
    if isinstance(widget, forms.MultiWidget):
        parts: Any = widget.decompress(value)
        return [_sent(part, each) for part, each in zip(widget.widgets, parts, strict=True)]
    if isinstance(widget, forms.CheckboxInput):
        return bool(value)
    shown = widget.format_value(value)
    if _is_multiple(widget):
        return [str(each) for each in shown or ()]
    if isinstance(shown, list):  # a choice of one
        shown = next(iter(shown), None)
    return "" if shown is None else str(shown)


def _is_multiple(widget: Any) -> bool:
    if isinstance(widget, forms.MultipleHiddenInput):
        return True
    return bool(getattr(widget, "allow_multiple_selected", False))


def _is_same(field: Field, one: Any, other: Any) -> bool:
    """Compare two sent values."""
    return bool(_normal(field, one) == _normal(field, other))


def _normal(field: Field, sent: Any) -> Any:
    if isinstance(field, forms.MultiValueField):
        return [_normal(part, each) for part, each in zip(field.fields, sent or (), strict=False)]
    if isinstance(sent, list):
        return sorted(sent)
    if isinstance(field, forms.ModelChoiceField):
        return sent or ""
    try:
        value = field.to_python(sent)
    except ValidationError:
        return sent
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


def _write(data: Any, widget: Any, name: str, sent: Any) -> None:
    """Set a widget's sent value in the form's data."""
    widget = getattr(widget, "widget", widget)
    if isinstance(widget, forms.MultiWidget):
        names: list[str] = widget.widgets_names  # type: ignore[attr-defined]
        for suffix, part, each in zip(names, widget.widgets, sent, strict=True):
            _write(data, part, name + suffix, each)
    elif _is_multiple(widget) and hasattr(data, "setlist"):
        data.setlist(name, sent)
    else:
        data[name] = str(sent) if isinstance(sent, bool) else sent
