"""The lines of an order on its page at the desk: refunded, returned and left units."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, Value
from django.db.models.functions import JSONObject

from orders.models import Order, OrderLine, Upload
from orders.placing.by_operator import kept_prices

_UPLOADS = Upload.objects.filter(line=OuterRef("pk")).values(
    row=JSONObject(name=F("name"), file=F("file"), quantity=F("quantity"))
)


@dataclass(frozen=True)
class LineRow:
    line: OrderLine
    refunded: int
    returned: int
    """The units that are back in stock."""
    left: int
    """The units that the customer keeps or still gets."""
    uploads: list[dict[str, Any]]
    """Name, file and quantity of each."""
    own_name: str = ""
    """The product's name in the shop's own language, if the order's is in another one."""
    shop_price: Decimal | None = None
    """The shop's price when the order was placed, if an operator set another one by hand."""


@dataclass(frozen=True)
class LineRows:
    rows: list[LineRow]

    @property
    def has_changed(self) -> bool:
        """Return True if units were refunded or returned: only then the page has their columns."""
        return any(row.refunded or row.returned for row in self.rows)

    @property
    def are_many(self) -> bool:
        return len(self.rows) > 1


def read_lines(order: Order, *, returned: Mapping[int, int]) -> LineRows:
    """Return the lines with their uploads, in one query; one more if the desk made the order.

    `returned` are the units that refunds brought back, by line; a cancellation brings back all
    that no refund has.
    """
    is_cancelled = order.status == Order.Status.CANCELLED
    made = order.events.filter(kind="placed") if order.door == Order.Source.DESK else ()
    shop_prices = {kept.sku: kept.shop_price for event in made for kept in kept_prices(event)}
    rows = []
    is_foreign = order.language != settings.LANGUAGE_CODE
    named = F("product__name") if is_foreign else Value("")
    for line in order.lines.annotate(taken=ArraySubquery(_UPLOADS), own_name=named):
        kept = line.quantity - line.refunded
        back = returned.get(line.pk, 0) + (kept if is_cancelled else 0)
        left = 0 if is_cancelled else kept
        own_name = line.own_name if line.own_name != line.name else ""
        rows.append(
            LineRow(
                line=line,
                refunded=line.refunded,
                returned=back,
                left=left,
                uploads=line.taken,
                own_name=own_name,
                shop_price=shop_prices.get(line.sku),
            )
        )
    return LineRows(rows)
