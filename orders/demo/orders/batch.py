"""Writing one batch of demo orders: one transaction, in this process or in one of several."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from media_jobs.models import MediaJob
from notifications.models import Notification
from orders.demo.orders import catalogue, deliveries, foreign_keys, lives
from orders.demo.orders.catalogue import Catalogue
from orders.demo.orders.contexts import Contexts
from orders.demo.orders.life import Life
from orders.demo.orders.rows import money, orders, sales, stock, task_results
from orders.demo.orders.rows.media_jobs import Passes
from orders.demo.orders.rows.messages import MOST_PARKED, Outbox
from orders.demo.orders.shoppers import Shoppers, office
from orders.models import Product, User

MESSAGES_KEPT = 0.65
"""The share of the orders, the newest ones, with messages: those of older ones were pruned."""
RESULTS_KEPT = 0.12
"""The share of the orders, the newest ones, with task results."""


@dataclass(frozen=True)
class Lot:
    """The orders of one batch: their first position, their times and their numbers."""

    begin: int
    times: Sequence[datetime]
    numbers: Sequence[int]


@dataclass
class Stage:
    """What all batches of a fill share. It is sent to other processes."""

    orders: int
    seed: int
    until: datetime
    catalogue: Catalogue
    shoppers: Shoppers
    pictures: dict[str, list[dict[str, Any]]]

    def __post_init__(self) -> None:
        self._quoted = deliveries.quoted_deliveries()
        self._contexts = Contexts()
        self._passes = Passes(self.pictures)
        parked = min(MOST_PARKED, self.orders // 1000)
        self._outbox = Outbox(
            self.until, office=office(self.seed), parked_from=self.orders - parked
        )

    def write(self, lot: Lot) -> int:
        """Write the lot's orders in one transaction that keeps every rule; return how many."""
        random = Random(f"{self.seed}/orders/{lot.begin}")
        batch = [
            self._live(position, at, random) for position, at in enumerate(lot.times, lot.begin)
        ]
        orders.number_orders(batch, lot.numbers, self._contexts)
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            # The record of the fill is on disk already: what a crash of the server loses of the
            # last batches, `remove_orders` doesn't miss.
            cursor.execute("SET LOCAL synchronous_commit = off")
            cursor.execute("SET LOCAL statement_timeout = 0")
            foreign_keys.skip_triggers(cursor)
            orders.write(cursor, batch)
            money.write(cursor, batch)
            moved = stock.write(cursor, batch)
            sold = sales.write(cursor, batch)
            self._write_jobs(cursor, batch, random)
            self._check_keys(cursor, batch)
            # All batches move the same counters: each locks them at its very end only.
            catalogue.move_stock(cursor, moved)
            sales.count_sales(cursor, sold)
        return len(batch)

    def _live(self, position: int, placed_at: datetime, random: Random) -> Life:
        shopper = self.shoppers.choose(random)
        has_quote = shopper.address and random.random() < deliveries.QUOTED
        return lives.live(
            position=position,
            seed=self.seed,
            shopper=shopper,
            clerk_id=self.shoppers.clerk_of(position),
            chosen=self.catalogue.choose(random),
            placed_at=placed_at,
            until=self.until,
            delivery=self._quoted[shopper.language] if has_quote else deliveries.NONE,
            random=random,
        )

    def _check_keys(self, cursor: CursorWrapper, batch: Sequence[Life]) -> None:
        """Look for the accounts and products of the batch; raise IntegrityError if one is gone."""
        users = {life.order.user_id for life in batch if life.order.user_id}
        users |= {life.clerk_id for life in batch}
        foreign_keys.hold(cursor, User, users)
        foreign_keys.hold(cursor, Product, {line.goods.id for life in batch for line in life.lines})
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # where the triggers fire

    def _write_jobs(self, cursor: CursorWrapper, batch: Sequence[Life], random: Random) -> None:
        with_messages = self.orders * (1 - MESSAGES_KEPT)
        with_results = self.orders * (1 - RESULTS_KEPT)
        made = self._passes.write(cursor, batch, random)
        kept = [life for life in batch if life.position >= with_messages]
        sent = self._outbox.write(cursor, kept, random)
        if recent := [life for life in batch if life.position >= with_results]:
            since = recent[0].order.placed_at
            task_results.write(cursor, MediaJob, made, since=since)
            task_results.write(cursor, Notification, sent, since=since)
