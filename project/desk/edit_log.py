"""Who changed what at the desk, read from the admin's own log."""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet

MOST_ENTRIES = 20
"""The log's newest entries of a row that are read."""


def last_editor(row: Model) -> str | None:
    """Return the user who last changed the row at the desk; None if nobody has."""
    entry = _changes(row).first()
    return entry.user.get_username() if entry else None


def editor_of(row: Model, *, label: str, since: datetime, part: str = "") -> str | None:
    """Return the user who changed the field with this label since then; None if nobody has.

    `label` is untranslated, as the log has it. `part` is the text of a row that is edited on the
    page of `row`.
    """
    for entry in _changes(row).filter(action_time__gte=since)[:MOST_ENTRIES]:
        if any(label in labels and name == part for name, labels in _changed(entry)):
            return entry.user.get_username()
    return None


def _changes(row: Model) -> QuerySet[LogEntry]:
    return (
        LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(row),
            object_id=str(row.pk),
            action_flag=CHANGE,
            change_message__contains='"changed"',  # not an action: those are entries, too
        )
        .select_related("user")
        .order_by("-action_time")
    )


def _changed(entry: LogEntry) -> Iterator[tuple[str, list[Any]]]:
    """Yield each changed row's text (empty: the page's own row) with its fields' labels."""
    with suppress(ValueError, TypeError, AttributeError):
        for part in json.loads(entry.change_message):
            changed = part.get("changed", {})
            yield changed.get("object", ""), changed.get("fields", [])
