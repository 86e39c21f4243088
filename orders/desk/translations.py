"""The catalogue's texts in other languages, as fields of their row's form.

A form that mixes in `TranslatedForm` declares its fields with `translation_fields`: there is one
for each language of the shop, so they can't be written out.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, TextField
from django.utils.text import capfirst, format_lazy
from django.utils.translation import gettext as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from orders.models.translated import Translated, other_languages, with_text
from project.text import DIRECTION_MARKS

BETWEEN = " | "
LONGEST_OPTION = 60


class OptionsField(forms.CharField):
    """Some short texts in one input, such as Size | Colour."""

    def prepare_value(self, value: Any) -> Any:
        return BETWEEN.join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return list(value)
        return [" ".join(part.split()) for part in value.split("|")] if value else []

    def validate(self, value: Any) -> None:
        super().validate(value)
        if not all(value):
            raise ValidationError(_("There is nothing between two |."))
        if any(len(part) > LONGEST_OPTION for part in value):
            text = _("Use at most %(count)d characters.")
            raise ValidationError(text % {"count": LONGEST_OPTION})

    def run_validators(self, value: Any) -> None:
        """The limits are those of each text."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(initial) != self.to_python(data))


def options_field(**options: Any) -> OptionsField:
    """Return the field of a product's options."""
    return OptionsField(required=False, widget=UnfoldAdminTextInputWidget, **options)


def field_name(column: str, language: str) -> str:
    """Return the name of the form's field of a column's translation: `name_zh_hans`."""
    return f"{column}_{language.replace('-', '_')}"


def field_names(*columns: str) -> list[tuple[str, ...]]:
    """Return the names of the columns' translations, a tuple for each language."""
    return [
        tuple(field_name(column, code) for column in columns) for code, _name in other_languages()
    ]


def translation_fields(model: type[Model], columns: Iterable[str]) -> dict[str, forms.Field]:
    """Return a field for each of the columns in each language but the shop's own."""
    fields: dict[str, forms.Field] = {}
    for code, language in other_languages():
        for name in columns:
            column: Any = model._meta.get_field(name)
            label = format_lazy("{} ({})", capfirst(column.verbose_name), language)
            if name == "options":
                fields[field_name(name, code)] = options_field(label=label)
                continue
            is_long = isinstance(column, TextField)
            fields[field_name(name, code)] = forms.CharField(
                label=label,
                required=False,
                max_length=column.max_length,
                widget=UnfoldAdminTextareaWidget if is_long else UnfoldAdminTextInputWidget,
            )
    return fields


def _turns(value: Any) -> bool:
    """Tell whether a typed text has marks that turn the text around them."""
    texts = value if isinstance(value, list) else [value]
    return any(isinstance(text, str) and DIRECTION_MARKS & set(text) for text in texts)


class TranslatedForm(forms.BaseModelForm):
    """A mixin of forms of `Translated` rows, before EditForm. Empty means: as in the shop's own."""

    translated: tuple[str, ...] = ()

    def __init__(self, *args: Any, **options: Any) -> None:
        instance = options.get("instance")
        stored = {
            field_name(column, code): instance.translated(column, code) or ""
            for code, _name in other_languages()
            for column in self.translated
            if instance is not None
        }
        options["initial"] = stored | (options.get("initial") or {})
        super().__init__(*args, **options)

    def clean(self) -> Any:
        values: Any = super().clean()
        values = self.cleaned_data if values is None else values
        for name in [name for name in self.changed_data if _turns(values.get(name))]:
            self.add_error(name, _("Remove the characters that can't be printed."))
        for code, _name in other_languages():
            given = {
                column: values[name]
                for column in self.translated
                if (name := field_name(column, code)) in self.fields and name in values
            }
            for column, text in given.items():
                if isinstance(text, list) and text and len(text) != len(values.get(column, text)):
                    self.add_error(field_name(column, code), _("Translate each of the options."))
            self.instance.texts = with_text(self.instance.texts, code, **given)
        return values

    def changed_columns(self) -> list[str]:
        names = {
            field_name(column, code)
            for code, _name in other_languages()
            for column in self.translated
        }
        texts = ["texts"] if names & set(self.changed_data) else []
        return [*super().changed_columns(), *texts]  # type: ignore[misc]


class TranslatedAdmin:
    """A mixin of admins with a `TranslatedForm`, before them: who may only look sees its texts.

    A form's field that isn't a column of its row would be shown as empty, under its name in the
    code.
    """

    form: Any

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        for code, _name in other_languages():
            for column in self.form.translated:
                name = field_name(column, code)
                shown = partial(_translation, column=column, language=code)
                setattr(self, name, display(description=self.form.base_fields[name].label)(shown))


def _translation(row: Translated, *, column: str, language: str) -> str:
    text = row.translated(column, language) or ""
    return BETWEEN.join(text) if isinstance(text, list) else str(text)
