"""A list's headers, computed once for a page, and the label of each row's first cell.

unfold computes the headers anew for each row, to label the row's cells: that is a quarter of the
time of a page with 50 rows. Each row of a list has the same headers, so they are kept with it.
On a phone a cell shows its label. A first cell that is no link unfold takes for the box that
selects the row, also in a list without actions, whose first cell has a value.
"""

import re
from collections.abc import Iterator
from functools import wraps
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from unfold.templatetags import unfold_list

ACTION_BOX = "action_checkbox"
LABEL = re.compile(r'data-label="[^"]*"')


def keep_headers() -> None:
    """Let unfold ask for a list's headers once. Doing it again changes nothing."""
    compute = unfold_list.result_headers
    if hasattr(compute, "__wrapped__"):
        return

    @wraps(compute)
    def result_headers(cl: ChangeList) -> Iterator[dict[str, Any]]:
        kept = cl.__dict__.get("kept_headers")
        if kept is None:
            kept = cl.__dict__["kept_headers"] = list(compute(cl))
        return iter(kept)

    unfold_list.result_headers = result_headers


def label_first_cells() -> None:
    """Let a row's first cell have its column's label. Doing it again changes nothing."""
    compute = unfold_list.items_for_result
    if hasattr(compute, "__wrapped__"):
        return

    @wraps(compute)
    def items_for_result(cl: ChangeList, *row: Any) -> Iterator[str]:
        cells = compute(cl, *row)
        if cl.list_display[0] != ACTION_BOX:
            header = next(unfold_list.result_headers(cl))
            label = format_html('data-label="{}"', header["text"])
            cell = LABEL.sub(lambda _wrong: label, next(cells), count=1)
            yield mark_safe(cell)  # noqa: S308 (both are escaped)
        yield from cells

    unfold_list.items_for_result = items_for_result
