"""Each column that could hold something of a person is named, and no name is left behind."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models

from orders.personal_data.registry import TABLES, Table

TEXTS = (
    *(models.CharField, models.TextField, models.JSONField, models.FileField),
    *(models.GenericIPAddressField, models.BinaryField, ArrayField),
)
"""What can hold something of a person. E-mail, URL and slug are kinds of CharField."""


def columns_of(model: type[models.Model]) -> set[str]:
    """Return the columns that must be named: fixed choices and keys of other tables name nobody."""
    found = set()
    for field in model._meta.local_concrete_fields:
        kind = field.output_field if isinstance(field, models.GeneratedField) else field
        if isinstance(kind, TEXTS) and not field.choices and not field.is_relation:
            found.add(field.name)
    return found


def unnamed(tables: dict[str, Table]) -> Iterator[str]:
    """Yield what isn't named, and what is named and isn't there."""
    seen = set()
    for model in apps.get_models(include_auto_created=True):
        label, columns = model._meta.label, columns_of(model)
        table = tables.get(label, Table())
        named = {*table.personal, *table.harmless.split()}
        known = {field.name for field in model._meta.local_concrete_fields}
        yield from (f"{label}.{name} is not named" for name in columns - named)
        yield from (f"{label}.{name} doesn't exist" for name in named - known)
        yield from (
            f"{label}.{name} is both" for name in {*table.personal} & {*table.harmless.split()}
        )
        if table.personal and not table.found_by:
            yield f"{label} doesn't say how a person's rows are found"
        seen.add(label)
    yield from (f"{label} is no table" for label in tables.keys() - seen)


def test_each_text_of_each_table_is_named_personal_or_harmless() -> None:
    assert sorted(unnamed(TABLES)) == []


@pytest.mark.parametrize(
    ("label", "says"),
    [
        ("orders.Order", "orders.Order.email is not named"),
        ("media_jobs.Asset", "media_jobs.Asset.file is not named"),
        ("orders.Upload", "orders.Upload.address is not named"),
        ("notifications.Notification", "notifications.Notification.same_error is not named"),
    ],
)
def test_a_table_that_nobody_named_is_found(label: str, says: str) -> None:
    """The control: without its entry the test above fails."""
    others = {name: table for name, table in TABLES.items() if name != label}

    assert says in list(unnamed(others))
