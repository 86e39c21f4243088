"""Scheduled changes of products: applied at their start and reverted at their end.

The relay calls `apply_scheduled` (`orders/sweeps.py`). Each step begins with one conditional
UPDATE whose row count is checked, so two relays at once, or a killed one, do each step once. A
change is reverted only if the product still has the value that the change set: a later change by
an operator stays.
"""

from datetime import datetime
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, transaction
from django.db.models.functions import Now

from orders.models import Product, ScheduledChange

BATCH_SIZE = 200
"""Steps of one run. The next run, two seconds later, takes the rest."""

What = ScheduledChange.What


def apply_scheduled() -> int | None:
    """Do the due steps in the order of their times; return their number, or None if none is due."""
    done = 0
    for pk, step in due_steps():
        try:
            done += revert_change(pk) if step == "revert" else apply_change(pk)
        except ObjectDoesNotExist:
            continue  # the change or its product was deleted
    return done or None


def overlap(one: ScheduledChange, other: ScheduledChange) -> bool:
    """Return True if two changes of one product change the same field at the same time.

    Each would save the other's value as the one to go back to.
    """
    if (one.what == What.PRICE) != (other.what == What.PRICE):
        return False
    if one.back_at and other.back_at:
        return one.at < other.back_at and other.at < one.back_at
    return one.at == other.at or _is_within(one.at, other) or _is_within(other.at, one)


def _is_within(moment: datetime, change: ScheduledChange) -> bool:
    return change.back_at is not None and change.at <= moment < change.back_at


def due_steps() -> list[tuple[int, str]]:
    """Return the steps that are due as (change, "apply" or "revert"), the earliest first.

    After a downtime both steps of a change may be due.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, step FROM (
                SELECT id, at AS due, 'apply' AS step FROM orders_scheduledchange
                WHERE applied_at IS NULL AND at <= now()
                UNION ALL
                SELECT id, back_at, 'revert' FROM orders_scheduledchange
                WHERE reverted_at IS NULL AND back_at <= now()
            ) AS steps
            ORDER BY due, step DESC, id LIMIT %s
            """,  # at the same time, "revert" comes before "apply"
            [BATCH_SIZE],
        )
        return cursor.fetchall()


def apply_change(pk: int) -> int:
    """Apply the change if it is due and not applied; return how many steps that were."""
    with transaction.atomic():
        product = lock_product(pk)
        change = ScheduledChange.objects.filter(pk=pk)
        due = change.filter(applied_at=None, at__lte=Now())
        if not due.update(applied_at=Now(), previous_price=product.price):
            return 0
        Product.objects.filter(pk=product.pk).update(**_changed_values(change.get()))
    return 1


def revert_change(pk: int) -> int:
    """Take the change back if it is over and not reverted; return how many steps that were."""
    with transaction.atomic():
        product = lock_product(pk)
        change = ScheduledChange.objects.filter(pk=pk)
        over = change.filter(applied_at__isnull=False, reverted_at=None, back_at__lte=Now())
        if not over.update(reverted_at=Now()):
            return 0
        unchanged = Product.objects.filter(pk=product.pk, **_changed_values(change.get()))
        if not unchanged.update(**_restored_values(change.get())):
            change.update(is_kept=True)
    return 1


def lock_product(change_id: int) -> Product:
    """Lock the change's product, so that its saved price is the one that the change replaces."""
    change = ScheduledChange.objects.get(pk=change_id)
    return Product.objects.select_for_update(no_key=True).get(pk=change.product_id)


def _changed_values(change: ScheduledChange) -> dict[str, Any]:
    """Return the product's fields during the change."""
    if change.what == What.PRICE:
        return {"price": change.price}
    return {"is_active": change.what == What.ON_SALE}


def _restored_values(change: ScheduledChange) -> dict[str, Any]:
    """Return the product's fields after the change."""
    if change.what == What.PRICE:
        return {"price": change.previous_price}
    return {"is_active": change.what == What.OFF_SALE}
