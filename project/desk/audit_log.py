"""What the audit log says beyond Django's own entries: old and new values, reasons, and actions.

An entry's `change_message` is Django's list of what was added, changed and deleted. Ours stand
beside those as items of their own, which Django's reading of the list passes over:
- `{"values": [[label, old, new, are_words], …], "object": "…"}`: the fields' values,
- `{"reason": "…"}`: the operator's reason,
- `{"did": "Retry", "count": 3}`: an action, with the number of its rows,
- `{"export": "Orders", "format": "CSV", "rows": 3, "filters": [[name, value, is_word], …]}`: a
  file of a list (older entries lack `is_word`); without `rows` it isn't finished, and with
  `is_cut` its reader left before the end.
Labels and words are stored untranslated, and shown in the reader's language.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from project.desk.chosen_filters import Chosen
from project.opened_values import in_words

MOST_ROWS = 100
"""An action on more rows is one entry with their number, else one for each row."""
LONGEST = 500
"""The characters of a value that an entry keeps."""
SECRETS = ("password", "secret", "token", "key")
"""A field with one of these in its name is logged without its values."""


@dataclass(frozen=True)
class Value:
    """One field's change, as people read it."""

    label: str
    old: str
    new: str


@dataclass(frozen=True)
class Told:
    """An entry in words: sentences, values and the reason."""

    sentences: list[str] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    reason: str = ""


# ── Writing ─────────────────────────────────────────────────────────────────────────────────
def form_values(form: Any, *, is_new: bool) -> list[list[Any]]:
    """Return the form's changed values as items of an entry, secrets left out."""
    with override(None):
        return [
            [
                str(form[name].label),
                "" if is_new else in_words(form.fields[name], form[name].initial, most=LONGEST),
                in_words(form.fields[name], form.cleaned_data.get(name), most=LONGEST),
                _are_words(form.fields[name], form.cleaned_data.get(name)),
            ]
            for name in form.changed_data
            if name in form.cleaned_data and not _is_secret(form, name)
        ]


def formset_values(formset: Any) -> Iterator[dict[str, Any]]:
    """Yield an item for each row of a formset that was changed or added."""
    for form in formset.forms:
        is_new = form in formset.extra_forms
        if form.has_changed() and form not in formset.deleted_forms:
            yield {"values": form_values(form, is_new=is_new), "object": str(form.instance)}


def _is_secret(form: Any, name: str) -> bool:
    bound = form[name]
    is_masked = isinstance(bound.field.widget, forms.PasswordInput)
    return bound.is_hidden or is_masked or any(secret in name for secret in SECRETS)


def _are_words(known: Any, value: Any) -> bool:
    """Tell whether the value is a word of ours, to be translated, and not what a person wrote."""
    if isinstance(known, forms.ModelChoiceField):
        return False
    return isinstance(value, bool) or isinstance(known, forms.ChoiceField)


def record_action(
    *,
    user_id: int | None,
    label: str | Promise,
    rows: Sequence[Model] = (),
    model: type[Model] | None = None,
    count: int | None = None,
    reason: str = "",
) -> None:
    """Write that the operator did this with the rows, or with `count` rows of the model.

    Nobody asks a second time: a repeated click is a second entry, as it was a second request.
    """
    if user_id is None:
        return
    with override(None):
        item: dict[str, Any] = {"did": str(label)}
    more = [{"reason": reason}] if reason else []
    if count is None and 0 < len(rows) <= MOST_ROWS:
        kind = ContentType.objects.get_for_model(rows[0])
        entries = [
            _entry(user_id, kind, str(row.pk), str(row), [item | {"count": 1}, *more])
            for row in rows
        ]
    else:
        of = model or type(rows[0])
        total = len(rows) if count is None else count
        kind = ContentType.objects.get_for_model(of)
        entries = [_entry(user_id, kind, None, "", [item | {"count": total}, *more])]
    LogEntry.objects.bulk_create(entries)


def record_export(
    *,
    user_id: int,
    model: type[Model],
    label: str | Promise,
    format: str,
    filters: Iterable[Chosen],
    rows: int | None = None,
) -> LogEntry:
    """Write that the operator takes a list's rows out as a file; `rows` if they are known yet.

    `label` is the sheet's, `filters` are those that the list had, in words.
    """
    with override(None):
        item: dict[str, Any] = {
            "export": str(label),
            "format": format,
            "filters": [[*each] for each in filters],
        }
    if rows is not None:
        item["rows"] = rows
    kind = ContentType.objects.get_for_model(model)
    entry = _entry(user_id, kind, None, "", [item])
    entry.save()
    return entry


def record_exported(entry: LogEntry, *, rows: int, is_cut: bool) -> None:
    """Complete the entry of an export with the number of rows that were sent."""
    [item] = json.loads(entry.change_message)
    done = item | {"rows": rows} | ({"is_cut": True} if is_cut else {})
    LogEntry.objects.filter(pk=entry.pk).update(change_message=json.dumps([done]))


def _entry(
    user_id: int, kind: ContentType, object_id: str | None, text: str, message: list[Any]
) -> LogEntry:
    return LogEntry(
        user_id=user_id,
        content_type=kind,
        object_id=object_id,
        object_repr=text[:200],
        action_flag=CHANGE,
        change_message=json.dumps(message),
    )


# ── Reading ─────────────────────────────────────────────────────────────────────────────────
def told(entry: LogEntry) -> Told:
    """Return the entry in the reader's language."""
    items = _items(entry)
    ours = [item for item in items if _did(item)]
    values = [value for item in items for value in _values(item)]
    reason = next((str(item["reason"]) for item in items if "reason" in item), "")
    sentences = [_did(item) for item in ours]
    is_by_form = any({"added", "changed", "deleted"} & item.keys() for item in items)
    if not sentences and (is_by_form or not items):
        sentences = [entry.get_change_message() or _default(entry)]
    return Told(sentences=sentences, values=values, reason=reason)


def _default(entry: LogEntry) -> str:
    if entry.action_flag == ADDITION:
        return _("Added.")
    return _("Deleted.") if entry.is_deletion() else _("No fields changed.")


def _items(entry: LogEntry) -> list[dict[str, Any]]:
    with suppress(ValueError):
        items = json.loads(entry.change_message)
        if isinstance(items, list):
            return [item for item in items if isinstance(item, dict)]
    return []


def _did(item: dict[str, Any]) -> str:
    if "export" in item:
        return _exported(item)
    name, count = item.get("did"), item.get("count", 1)
    if not name:
        return ""
    if count == 1:
        return _(name)
    rows = ngettext("%(count)d row", "%(count)d rows", count) % {"count": count}
    return f"{_(name)} ({rows})"


def _exported(item: dict[str, Any]) -> str:
    about = {"list": _(item["export"]), "format": item["format"], "count": item.get("rows")}
    if about["count"] is None:
        return _("Export of %(list)s as %(format)s: not finished") % about
    says = ngettext(
        "Export of %(list)s as %(format)s: %(count)d row",
        "Export of %(list)s as %(format)s: %(count)d rows",
        about["count"],
    )
    if item.get("is_cut"):
        says = ngettext(
            "Export of %(list)s as %(format)s: broken off after %(count)d row",
            "Export of %(list)s as %(format)s: broken off after %(count)d rows",
            about["count"],
        )
    return says % about


def _values(item: dict[str, Any]) -> Iterator[Value]:
    for name, value, *is_word in item.get("filters", ()):
        yield Value(capfirst(_(name)), "", _(value) if value and any(is_word) else value)
    for label, old, new, are_words in item.get("values", ()):
        named = f"{item['object']}: {_label(label)}" if item.get("object") else _label(label)
        if are_words:
            old, new = (_(text) if text else "" for text in (old, new))
        yield Value(named, old, new)


_WITH_ZONE = re.compile(r"(?P<label>.+) (?P<zone>\([^()]+\))")


def _label(text: str) -> str:
    """Return a field's label, which the log has in English, in the reader's language.

    A form's label begins with a capital letter, the name of a model's field doesn't: "Code" is
    another text than "code". It may have a time zone or a language behind it.
    """
    for known in (text[:1].lower() + text[1:], text):
        if known and (said := _(known)) != known:
            return capfirst(said)
    if parts := _WITH_ZONE.fullmatch(text):
        return f"{_label(parts['label'])} {parts['zone']}"
    return text


class LoggedActions:
    """A mixin before ModelAdmin: what operators do by its lists' actions is in the audit log.

    An action that names no permission needs the one to change: Django lets everyone run it who
    may see the list.
    """

    def get_actions(self, request: Any) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)  # type: ignore[misc]
        may_change = self.has_change_permission(request)  # type: ignore[attr-defined]
        return {
            name: known
            for name, known in actions.items()
            if may_change or getattr(known[0], "allowed_permissions", None) is not None
        }

    def response_action(self, request: Any, queryset: Any) -> Any:
        name, rows = _asked(request, queryset)
        known: Any = self.get_actions(request).get(name)
        total = queryset.count() if known and request.POST.get("select_across") == "1" else None
        response = super().response_action(request, queryset)  # type: ignore[misc]
        is_done = response is not None and response.status_code == 302
        # Django logs each deletion itself.
        is_logged = name == "delete_selected" or getattr(known and known[0], "logs_itself", False)
        if known and is_done and not is_logged:
            label = getattr(known[0], "short_description", None) or known[2]
            self.record_action(request, label, rows, count=total)
        return response

    def record_action(
        self,
        request: Any,
        label: str | Promise,
        rows: Iterable[Model],
        *,
        count: int | None = None,
        reason: str = "",
    ) -> None:
        """Write an action of this admin's operator into the audit log."""
        record_action(
            user_id=request.user.pk,
            label=label,
            rows=[*rows],
            model=self.model,  # type: ignore[attr-defined]
            count=count,
            reason=reason,
        )


def _asked(request: Any, queryset: Any) -> tuple[str, list[Model]]:
    """Return the name of the chosen action, and its rows as they are before it."""
    names = request.POST.getlist("action")
    index = request.POST.get("index", "0")
    at = int(index) if index.isdecimal() and int(index) < len(names) else 0
    chosen = request.POST.getlist("_selected_action")
    if request.POST.get("select_across") == "1":
        return (names[at] if names else ""), []
    keys = []
    for key in chosen:
        with suppress(ValidationError, ValueError):  # junk selects nothing
            keys.append(queryset.model._meta.pk.to_python(key))
    return (names[at] if names else ""), list(queryset.filter(pk__in=keys))
