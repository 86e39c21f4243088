"""How many rows a list has: exact while they are few, else the planner's estimate.

`COUNT(*)` reads every row that it counts: of a million orders for seconds. So only some hundred are
counted, by the index that the list reads anyway.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet
from django.utils.formats import number_format
from django.utils.translation import gettext as _

COUNTED = 500
"""Rows that are counted exactly. Each may cost a page of the table."""
SURE = 10
"""How many times as many the planner must expect, so that nothing is counted."""

_KNOWN = "known_rows"
"""The attribute of a query that is copied with it."""


class _Known(NamedTuple):
    rows: int
    is_exact: bool
    conditions: int
    """The queryset's number of conditions; one with more has at most so many rows."""


class Estimate(int):
    """About so many rows, but more than were counted. As text it says so.

    It is an int for Django, which compares the number of a list and chooses plurals by it.
    """

    counted: int

    def __new__(cls, rows: int, *, counted: int = COUNTED) -> "Estimate":
        estimate = super().__new__(cls, rows)
        estimate.counted = counted
        return estimate

    def __str__(self) -> str:
        if self <= self.counted + 1:
            number = number_format(self.counted, force_grouping=True)
            return _("more than %(number)s") % {"number": number}
        return _("about %(number)s") % {
            "number": number_format(_rounded(self), force_grouping=True)
        }


def count_rows(queryset: QuerySet[Any], *, exact: int = COUNTED) -> int:
    """Return the number of rows; an `Estimate` if they are more than `exact`.

    The order stays: with it PostgreSQL counts by the list's own index. Without one it may hope to
    find rows early in a scan of the table, which then reads all of it.
    """
    known: _Known | None = getattr(queryset.query, _KNOWN, None)
    is_same = known is not None and known.conditions == _conditions(queryset)
    if known and is_same and known.is_exact:
        return known.rows
    planned = known.rows if known and is_same else planned_rows(queryset)
    if known and (planned := min(planned, known.rows)) > exact:
        return Estimate(planned, counted=exact)
    if planned >= SURE * exact:
        return Estimate(planned, counted=exact)
    counted = queryset.values("pk")[: exact + 1].count()
    return counted if counted <= exact else Estimate(max(counted, planned), counted=exact)


def count_each(
    lists: Mapping[str, QuerySet[Any]], *, exact: int = COUNTED, using: str = "default"
) -> dict[str, int]:
    """Return the number of rows of each list, all in one query.

    More than `exact` are an `Estimate`: so many are counted, and no more is said.
    """
    parts, parameters = [], []
    for name, queryset in lists.items():
        try:
            sql, values = queryset.order_by().values("pk")[: exact + 1].query.sql_with_params()
        except EmptyResultSet:
            continue
        parts.append(f"SELECT %s::text, (SELECT count(*) FROM ({sql}) AS listed)")
        parameters += [name, *values]
    counts = dict.fromkeys(lists, 0)
    if parts:
        with connections[using].cursor() as cursor:
            cursor.execute(" UNION ALL ".join(parts), parameters)
            counts |= dict(cursor.fetchall())
    return {
        name: count if count <= exact else Estimate(count, counted=exact)
        for name, count in counts.items()
    }


def add_counts(counts: Iterable[int]) -> int:
    """Return the sum: an `Estimate` if one of them is."""
    known = list(counts)
    total = sum(known)
    if any(isinstance(count, Estimate) for count in known):
        return Estimate(total, counted=total - 1)
    return total


def with_known_rows(
    queryset: QuerySet[Any], *, at_most: int, is_exact: bool = False
) -> QuerySet[Any]:
    """Note that the queryset has no more rows: for a condition of which the planner knows nothing.

    `at_most` is about its number, or with `is_exact` just that. Querysets that are made of it know
    it as well; those with further conditions have no more.
    """
    known = _Known(at_most, is_exact=is_exact, conditions=_conditions(queryset))
    setattr(queryset.query, _KNOWN, known)
    return queryset


def _conditions(queryset: QuerySet[Any]) -> int:
    """Return the number of the queryset's conditions, which grows with each `filter`."""
    return len(queryset.query.where.children)


def planned_rows(queryset: QuerySet[Any]) -> int:
    """Return the planner's estimate: it comes from the statistics and reads no row."""
    told = queryset.order_by().values("pk").explain(format="json")
    return int(json.loads(told)[0]["Plan"]["Plan Rows"]) if told else 0  # Django knows: no rows


def _rounded(number: int) -> int:
    """Return the number with two digits that count: 1,234,567 becomes 1,200,000."""
    return int(round(number, 2 - len(repr(int(number)))))
