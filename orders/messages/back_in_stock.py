"""Back in stock: the people of a product's waiting list are told when it can be bought again.

The relay calls `tell_back_in_stock`. A sweep does it, because units come back in many ways (a
receipt, a count, a cancelled order, a refund, an import), in transactions that are busy with stock.
It reads only what the stock is now, so a missed or doubled look changes nothing.

Who came first is told first, in waves of a few for each unit: docs/back-in-stock.md.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import Error, connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Lower, Now
from django.urls import reverse

from notifications.models import Notification
from notifications.outbox import back_in_stock_message
from orders.messages.waiting_list import confirmation_context, waiting_for
from orders.models import Order, OrderLine, Product, Restock, WaitingListEntry
from orders.models.product import ORDERABLE
from project.database.clock import database_now
from project.database.errors import is_lock_timeout
from project.schedule.passes import UnfinishedError
from project.text import isolate

EVENT = "back_in_stock"
TOLD_PER_UNIT = 3
"""How many are told for each unit: not everyone who waits still buys."""
HEAD_START = timedelta(hours=1)
"""The time that those who were told have before the next are."""
BATCH_SIZE = 500
"""The messages of one transaction."""

# What somebody has locked, a restock or a product, is left for a later run.
_END = """
UPDATE orders_restock AS restock SET ended_at = greatest(opened_at, statement_timestamp())
FROM (SELECT id FROM orders_restock WHERE ended_at IS NULL
      ORDER BY id FOR NO KEY UPDATE SKIP LOCKED) AS free,
     orders_product AS product LEFT JOIN orders_stock AS stock ON stock.product_id = product.id
WHERE restock.id = free.id AND product.id = restock.product_id
  AND (coalesce(stock.available, 0) = 0 OR NOT product.is_active
       OR EXISTS (SELECT FROM orders_product AS parent
                  WHERE parent.id = product.variant_of_id AND NOT parent.is_active))
"""
# By the waiting lists, which are few among all products.
_BEGIN = """
INSERT INTO orders_restock (product_id)
SELECT wanted.product_id
FROM (SELECT DISTINCT product_id FROM orders_waitinglistentry WHERE confirmed_at IS NOT NULL)
     AS wanted
JOIN orders_stock AS stock USING (product_id)
JOIN orders_product AS product ON product.id = wanted.product_id
WHERE stock.available > 0 AND product.is_active
  AND NOT EXISTS (SELECT FROM orders_product AS parent
                  WHERE parent.id = product.variant_of_id AND NOT parent.is_active)
ORDER BY wanted.product_id FOR KEY SHARE OF product SKIP LOCKED
ON CONFLICT (product_id) WHERE ended_at IS NULL DO NOTHING
"""


def tell_back_in_stock() -> int | None:
    """Tell those whose turn it is; return how many, None if none.

    Two runs at once tell each of them once: a restock is one run's at a time. Raises
    UnfinishedError, after all others, for lists with an entry that somebody has locked.
    """
    with connection.cursor() as cursor:
        cursor.execute(_END)
        cursor.execute(_BEGIN)
    told = left = 0
    for restock_id in _due():
        try:
            told += _tell(restock_id)
        except Error as error:
            if not is_lock_timeout(error):
                raise
            left += 1
    if left:
        raise UnfinishedError(f"{left} waiting lists wait: locked by another transaction")
    return told or None


def why_unwanted(message: Notification) -> str:
    """Return why the message, which waited for its turn, is no longer wanted; empty if it is."""
    if message.event != EVENT:
        return ""
    entry = WaitingListEntry.objects.filter(pk=_entry_of(message)).first()
    if entry is None:
        return "the reader has left the waiting list"
    there = Product.objects.filter(ORDERABLE, pk=entry.product_id, stock__available__gt=0)
    return "" if there.exists() else "the product is sold out again"


def stop_url(key: UUID) -> str:
    """Return the link that takes the entry off its list."""
    return settings.SITE_URL + reverse("waiting-stop", args=[key])


def message_for(entry: WaitingListEntry, *, product: Product, restock_id: int) -> Notification:
    """Return the message of this restock to the entry's address, under its own id."""
    return back_in_stock_message(
        restock_id=restock_id,
        entry_id=entry.pk,
        email=entry.email,
        language=entry.language,
        product=isolate(product.text("name", entry.language)),
        url=settings.SITE_URL + product.get_absolute_url(),
        unsubscribe_url=stop_url(entry.pk),
    )


def _due() -> list[int]:
    """Return the open restocks of which somebody may be told now."""
    has_room = Q(wave_told__lt=TOLD_PER_UNIT * F("product__stock__available"))
    open_ones = Restock.objects.filter(has_room | Q(wave_at__lte=Now() - HEAD_START), ended_at=None)
    untold = _untold(OuterRef("pk"), WaitingListEntry.objects.filter(product=OuterRef("product")))
    found = open_ones.filter(Exists(untold)).order_by("product_id")
    return list(found.values_list("pk", flat=True))


def _untold(restock_id: Any, entries: QuerySet[WaitingListEntry]) -> QuerySet[WaitingListEntry]:
    not_of_this = Q(told_for=None) | ~Q(told_for=restock_id)
    return entries.filter(not_of_this, confirmed_at__isnull=False)


def _tell(restock_id: int) -> int:
    """Tell the next of the list, in one transaction; return how many."""
    with transaction.atomic():
        restock = _lock(restock_id)
        if restock is None:
            return 0
        product = Product.objects.select_related("stock").get(pk=restock.product_id)
        if not product.stock.available:
            return 0  # the next run ends the restock
        if restock.wave_at + HEAD_START <= (now := database_now()):
            restock.wave_at, restock.wave_told = now, 0
        room = TOLD_PER_UNIT * product.stock.available - restock.wave_told
        turn = _next(restock, limit=max(0, min(room, BATCH_SIZE)))
        _drop([entry for entry in turn if entry.has_ordered])
        told = [entry for entry in turn if not entry.has_ordered]
        Notification.objects.bulk_create(
            [message_for(entry, product=product, restock_id=restock.pk) for entry in told],
            ignore_conflicts=True,
        )
        keys = [entry.pk for entry in told]
        WaitingListEntry.objects.filter(pk__in=keys).update(told_for=restock, told_at=Now())
        Restock.objects.filter(pk=restock.pk).update(
            wave_at=restock.wave_at,
            wave_told=restock.wave_told + len(told),
            told=F("told") + len(told),
        )
    return len(told)


def _lock(restock_id: int) -> Restock | None:
    """Lock the open restock; None if it has ended, or if another run has it."""
    restocks = Restock.objects.select_for_update(no_key=True, skip_locked=True)
    return restocks.filter(pk=restock_id, ended_at=None).first()


def _next(restock: Restock, *, limit: int) -> list[Any]:
    """Return the first of the list who weren't told of this restock, each with `has_ordered`.

    Who was never told comes first, then who was told longest ago; among them, who asked first. So
    one unit that comes back again and again isn't told to the same three people.
    """
    ordered = (
        OrderLine.objects.alias(small=Lower("order__email"))
        .filter(
            product=restock.product_id,
            small=Lower(OuterRef("email")),
            order__placed_at__gte=OuterRef("created_at"),
        )
        .exclude(order__status__in=Order.UNCOUNTED)
    )
    entries = _untold(restock.pk, waiting_for(restock.product_id))
    turn = entries.order_by(F("told_for").asc(nulls_first=True), "created_at", "pk")
    return list(turn.annotate(has_ordered=Exists(ordered))[:limit])


def _drop(entries: list[WaitingListEntry]) -> None:
    """Take those off the list who have ordered the product since they asked."""
    WaitingListEntry.objects.filter(pk__in=[entry.pk for entry in entries]).delete()


def _entry_of(message: Notification) -> UUID:
    """Return the key of the entry that the message was written for, by its link."""
    parts = message.context.get("unsubscribe_url", "").rstrip("/").split("/")
    try:
        return UUID(parts[-2])
    except (IndexError, ValueError):
        return UUID(int=0)  # nobody's


def sample_context(event: str, product: Product | None) -> dict[str, Any]:
    """Return the context of a preview: of the message, or of the one that asks to confirm."""
    product = product or Product(name="", slug="sample")
    entry = WaitingListEntry(id=UUID(int=0), email="", language="en")
    if event != EVENT:
        return confirmation_context(product, key=entry.pk)
    return message_for(entry, product=product, restock_id=0).context
