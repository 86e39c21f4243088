"""Conditions that PostgreSQL should ask row by row, in the list's order, until the page is full.

It would rather look up all rows that a subquery names, sort them, and show the first fifty. For a
few that is right; of thousands it reads thousands of pages.
"""

from typing import Any

from django.db.models import Case, Q, QuerySet, Value, When

from project.desk.row_counts import COUNTED, with_known_rows

FEW = COUNTED
"""Rows that are looked up one by one: some pages each. The list is read for more only: to count
few it would be read to its end."""

_ALWAYS = Value(True)


def asked_in_turn(condition: Q, *, also: Any = _ALWAYS) -> Case:
    """Return the condition in a form that is asked row by row; `also` only of rows that have it."""
    # What stands in a CASE is never made a join.
    return Case(When(condition, then=also), default=Value(False))


def in_list_order(
    queryset: QuerySet[Any],
    condition: Q,
    *,
    also: Any = _ALWAYS,
    at_most: int,
) -> QuerySet[Any]:
    """Return the rows with the condition, of which there are `at_most` so many, but not few.

    `also` is a second condition, which is asked of these rows only.
    """
    return with_known_rows(queryset.filter(asked_in_turn(condition, also=also)), at_most=at_most)
