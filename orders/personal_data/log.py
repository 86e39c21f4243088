"""The audit log's entries about a person's account and orders: who did what stays, values go."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet

from orders.personal_data.registry import ERASED

BATCH = 500


def erase_log_entries(rows: QuerySet[Any]) -> int:
    """Take values, reasons and names out of the entries about these rows; return how many."""
    kind = ContentType.objects.get_for_model(rows.model)
    names_person = kind.model == "user"
    changed = 0
    for keys in _pages([str(key) for key in rows.values_list("pk", flat=True)]):
        for entry in LogEntry.objects.filter(content_type=kind, object_id__in=keys):
            message = _without_person(entry.change_message)
            shown = ERASED if names_person else entry.object_repr
            if (message, shown) != (entry.change_message, entry.object_repr):
                LogEntry.objects.filter(pk=entry.pk).update(
                    change_message=message, object_repr=shown
                )
                changed += 1
    return changed


def _pages(keys: list[str]) -> Iterator[list[str]]:
    for begin in range(0, len(keys), BATCH):
        yield keys[begin : begin + BATCH]


def _without_person(message: str) -> str:
    """Return the entry with each value and reason replaced; a text that is no JSON goes whole."""
    if not message:
        return ""
    with suppress(ValueError):
        items = json.loads(message)
        if isinstance(items, list):
            return json.dumps([_item(item) for item in items])
    return ERASED


def _item(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    known = dict(item)
    if "values" in known:
        known["values"] = [
            [label, *(ERASED if text and not are_words else text for text in (old, new)), are_words]
            for label, old, new, are_words in known["values"]
        ]
    if "reason" in known:
        known["reason"] = ERASED
    if "object" in known:
        known["object"] = ERASED
    for name in ("added", "changed", "deleted"):  # Django's own: a row on the page of another
        if isinstance(known.get(name), dict) and "object" in known[name]:
            known[name] = {**known[name], "object": ERASED}
    return known
