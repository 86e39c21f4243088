"""The shape of a row: which columns are filled, and the keys and types in its JSON."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

Shape = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Kind:
    """Rows of a model that are told apart by some columns."""

    model: type[Model]
    by: tuple[str, ...] = ()
    leave: Collection[str] = ()
    """Columns that vary freely."""
    only: Collection[str] = ()
    """The columns that are compared, if not all."""

    def shapes(self, rows: Iterable[Model]) -> dict[tuple[Any, ...], set[Shape]]:
        """Return the rows' shapes by the columns that tell them apart."""
        found = defaultdict(set)
        for row in rows:
            found[tuple(getattr(row, name) for name in self.by)].add(self._shape(row))
        return dict(found)

    def _shape(self, row: Model) -> Shape:
        names = [field.attname for field in row._meta.concrete_fields]
        compared = [name for name in names if name not in self.leave]
        return tuple(
            (name, _filled(getattr(row, name)))
            for name in compared
            if not self.only or name in self.only
        )


def _filled(value: Any) -> Any:
    """Tell an empty column from a filled one; of JSON tell the keys and types."""
    if isinstance(value, dict | list):
        return _json(value)
    return repr(value) if value in (None, "") else type(value).__name__


def _json(value: Any) -> Any:
    match value:
        case dict():
            return tuple(sorted((key, _json(inner)) for key, inner in value.items()))
        case list():
            return ("list", *sorted({repr(_json(inner)) for inner in value}))
        case _:
            return type(value).__name__
