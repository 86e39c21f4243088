"""The lines of an order on its page at the desk: refunded, returned and left units."""

from collections.abc import Mapping
from dataclasses import dataclass

from orders.models import Order, OrderLine


@dataclass(frozen=True)
class LineRow:
    line: OrderLine
    refunded: int
    returned: int
    """The units that are back in stock."""
    left: int
    """The units that the customer keeps or still gets."""


@dataclass(frozen=True)
class LineRows:
    rows: list[LineRow]

    @property
    def has_changed(self) -> bool:
        """Return True if units were refunded or returned: only then the page has their columns."""
        return any(row.refunded or row.returned for row in self.rows)


def read_lines(order: Order, *, returned: Mapping[int, int]) -> LineRows:
    """Return the lines with their uploads, in two queries.

    `returned` are the units that refunds brought back, by line; a cancellation brings back all
    that no refund has.
    """
    is_cancelled = order.status == Order.Status.CANCELLED
    rows = []
    for line in order.lines.prefetch_related("uploads"):
        kept = line.quantity - line.refunded
        back = returned.get(line.pk, 0) + (kept if is_cancelled else 0)
        rows.append(LineRow(line, line.refunded, back, 0 if is_cancelled else kept))
    return LineRows(rows)
