"""The filters of a list that a request has chosen, in words."""

from contextlib import suppress
from typing import Any, NamedTuple

from django.contrib.admin.utils import label_for_field
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import override

_SIGNS = {"from": "≥ ", "to": "≤ "}
"""Of a range, which offers no choices but two fields."""


_ONE_ROW = ("exact", "id__exact", "pk__exact")
"""Lookups of a relation by a row's key."""


class Chosen(NamedTuple):
    """A filter's name and value; `is_word` if the value is a choice's words, not what was typed."""

    name: str
    value: str
    is_word: bool = False


def chosen_filters(listed: Any) -> list[tuple[str, str]]:
    """Return the chosen search and filters of a ChangeList, as (name, value) in words."""
    return [(each.name, each.value) for each in _chosen(listed, names_rows=True)]


def untranslated_filters(listed: Any) -> list[Chosen]:
    """Return them as the audit log keeps them: in our own words, whatever the reader's language.

    A row is told by its key: its name may be a person's, and the log outlives them.
    """
    with override(None):
        return _chosen(listed, names_rows=False)


def _chosen(listed: Any, *, names_rows: bool) -> list[Chosen]:
    chosen = [Chosen(_("Search"), listed.query)] if listed.query else []
    parameters = listed.get_filters_params()
    for spec in listed.filter_specs:
        words = _values(spec, listed)
        typed = [
            f"{_SIGNS.get(name.rpartition('_')[2], '')}{', '.join(_texts(parameters.get(name)))}"
            for name in spec.expected_parameters()
            if name and _texts(parameters.get(name))
        ]
        title = str(spec.title)
        chosen += [Chosen(title, value, bool(words)) for value in words or typed]
    known = {name for spec in listed.filter_specs for name in spec.expected_parameters()}
    for name, value in parameters.items():
        if name not in known:  # of a link to the list
            field, _lookup, part = name.partition("__")
            label = field
            with suppress(AttributeError):
                label = str(label_for_field(field, listed.model))
            if names_rows and part in _ONE_ROW and (rows := _rows(listed, field, value)):
                chosen += [Chosen(label, each) for each in rows]
            else:
                chosen.append(Chosen(f"{label} {part}".strip(), ", ".join(_texts(value))))
    return chosen


def _rows(listed: Any, field: str, value: Any) -> list[str]:
    """Return the names of the rows that a relation is filtered by; none if it is no relation.

    Django leaves a filter out that offers one choice, although the list is filtered by it.
    """
    with suppress(FieldDoesNotExist, ValidationError, ValueError):
        related = listed.model._meta.get_field(field).related_model
        if related is not None:
            return [str(row) for row in related._default_manager.filter(pk__in=_texts(value))]
    return []


def _values(spec: Any, listed: Any) -> list[str]:
    """Return the displays of the filter's selected choices; the first choice is "all"."""
    choices = list(spec.choices(listed))[1:]
    return [
        str(choice["display"])
        for choice in choices
        if choice.get("selected") and "display" in choice
    ]


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(each) for each in values if each not in (None, "")]
