"""The sales writer: counts the sales of many orders in one transaction, in parallel with stock.

It *sets* an order's entry and moves the product's counter by the difference, so a repeat changes
nothing. It may count an order that the stock writer then refuses: a Settle corrects that.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper

from orders.models import ProductSales
from orders.placing.row_locks import RowLocks
from orders.placing.sales_ledger import (
    NOTHING,
    Sold,
    Targets,
    create_counters,
    set_entries,
    true_targets,
)
from project.group_commit import DEFER, RepeatBatch
from project.tracing.spans import traceparent


@dataclass(frozen=True)
class Count:
    """Count an order that is being placed, by its requested lines."""

    order_id: UUID
    sold: dict[int, Sold]
    """By product id."""
    traceparent: str = field(default_factory=traceparent, compare=False)
    """The span of its request; empty without traces."""


@dataclass(frozen=True)
class Settle:
    """Set the order's sales to its stored lines, or to nothing if it doesn't exist."""

    order_id: UUID


@dataclass(frozen=True)
class Counted:
    """The sales are set as requested."""


class SalesWriter:
    """The group committer runs `apply` for each batch. Suspect rows are kept between batches."""

    def __init__(self) -> None:
        self.locks = RowLocks(ProductSales, column="units")

    def apply(
        self,
        connection: BaseDatabaseWrapper,
        requests: Sequence[Count | Settle],
        *,
        wait: bool = True,
    ) -> list[Any]:
        """Set each order's entries to their target; the answers are Counted or DEFER.

        Of two requests for one order the later one wins. Without `wait`, a request whose rows
        aren't free is deferred.
        """
        acquire = self.locks.acquire if wait else self.locks.acquire_free
        settled = {request.order_id for request in requests if isinstance(request, Settle)}
        with connection.cursor() as cursor:
            touched: dict[UUID, set[int]] = defaultdict(set)
            if settled:
                for order_id, product_id in true_targets(cursor, settled):
                    touched[order_id].add(product_id)
            for request in requests:
                if isinstance(request, Count):
                    touched[request.order_id] |= request.sold.keys()
            held, suspects = acquire(connection, set().union(*touched.values()))
            # Read again after the locks: from here on the orders' sales can't change.
            truth: dict[UUID, Targets] = defaultdict(dict)
            if settled:
                for key, sold in true_targets(cursor, settled).items():
                    truth[key[0]][key] = sold

            answers: list[Any] = []
            targets: dict[UUID, Targets] = defaultdict(dict)
            for request in requests:
                order_id = request.order_id
                if not suspects.isdisjoint(touched[order_id]):
                    answers.append(DEFER)
                    continue
                if isinstance(request, Count):
                    asked = {(order_id, product): sold for product, sold in request.sold.items()}
                else:
                    asked = dict.fromkeys(targets[order_id], NOTHING) | truth[order_id]
                targets[order_id] |= asked
                answers.append(Counted())

            merged = {key: sold for order in targets.values() for key, sold in order.items()}
            missing = {product_id for _order_id, product_id in merged} - held.keys()
            if missing and create_counters(cursor, missing) != missing:
                raise RepeatBatch  # an order got its lines between the two reads
            if merged:
                set_entries(cursor, merged)
        return answers
