"""Scheduled changes of products: applied at their start and reverted at their end.

The relay calls `apply_scheduled` (`orders/sweeps.py`). Each step begins with one conditional
UPDATE whose row count is checked, so two relays at once, or a killed one, do each step once. A
change is reverted only if the product still has the value that the change set: a later change by
an operator stays.
"""

import logging
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now

from orders.catalogue.variants import keep_lowest_price
from orders.models import Product, ScheduledChange
from project.database.arrays import array_literal
from project.database.errors import is_lock_timeout, is_outage
from project.schedule.passes import UnfinishedError

logger = logging.getLogger(__name__)

BATCH_SIZE = 200
"""Steps that are read at a time."""
PATIENCE = "500ms"
"""How long a run waits for locked products, in all: another relay has one for a moment."""
RUN_SECONDS = 5.0
"""For one run. The next one, two seconds later, takes the rest."""

What = ScheduledChange.What


class _ProductLocked(Exception):
    """Somebody holds the product's row: its steps wait, those of other products don't."""


def apply_scheduled() -> int | None:
    """Do what is due, in the order of its times; return how many steps that were, None if none.

    A product that somebody has locked, or whose step fails, keeps its own steps waiting, and no
    others. Raises UnfinishedError, once all others are done, if any wait so.
    """
    done, waiting = 0, dict[int, str]()
    patience: str | None = PATIENCE
    deadline = time.monotonic() + RUN_SECONDS
    while steps := due_steps(without=waiting.keys()):
        for pk, product_id, step in steps:
            if product_id in waiting:
                continue  # a later step of it must not overtake
            try:
                make = revert_change if step == "revert" else apply_change
                done += make(pk, patience=patience)
            except ObjectDoesNotExist:
                pass  # deleted meanwhile
            except _ProductLocked:
                waiting[product_id] = "locked by another transaction"
                patience = None  # used up: the other products of this run get none
            except Exception as error:
                if is_outage(error):
                    raise
                logger.exception("change %d can't be made", pk)
                waiting[product_id] = f"{type(error).__name__}: {error}"
            if time.monotonic() > deadline:
                break
        if len(steps) < BATCH_SIZE or time.monotonic() > deadline:
            break
    if waiting:
        raise UnfinishedError(_in_words(waiting))
    return done or None


def _in_words(waiting: Mapping[int, str]) -> str:
    skus = dict(Product.objects.filter(pk__in=sorted(waiting)[:5]).values_list("pk", "sku"))
    some = ", ".join(f"{sku} ({waiting[pk]})" for pk, sku in sorted(skus.items()))
    return f"the changes of {len(waiting)} products wait: {some}"


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


def due_steps(*, without: Collection[int] = ()) -> list[tuple[int, int, str]]:
    """Return the due steps as (change, product, "apply" or "revert"), the earliest first.

    After a downtime both steps of a change may be due. The products `without` are left out.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, product_id, step FROM (
                SELECT id, product_id, at AS due, 'apply' AS step FROM orders_scheduledchange
                WHERE applied_at IS NULL AND at <= now()
                UNION ALL
                SELECT id, product_id, back_at, 'revert' FROM orders_scheduledchange
                WHERE reverted_at IS NULL AND back_at <= now()
            ) AS steps
            WHERE product_id <> ALL(%s::bigint[])
            ORDER BY due, step DESC, id LIMIT %s
            """,  # at the same time, "revert" comes before "apply"
            [array_literal(without), BATCH_SIZE],
        )
        return cursor.fetchall()


def apply_change(pk: int, *, patience: str | None) -> int:
    """Apply the change if it is due and not applied; return how many steps that were."""
    with lock_product(pk, patience=patience) as product:
        change = ScheduledChange.objects.filter(pk=pk)
        due = change.filter(applied_at=None, at__lte=Now())
        if not due.update(applied_at=Now(), previous_price=product.price):
            return 0
        Product.objects.filter(pk=product.pk).update(**_changed_values(change.get()))
    _keep_parent(product)
    return 1


def revert_change(pk: int, *, patience: str | None) -> int:
    """Take the change back if it is over and not reverted; return how many steps that were."""
    with lock_product(pk, patience=patience) as product:
        change = ScheduledChange.objects.filter(pk=pk)
        over = change.filter(applied_at__isnull=False, reverted_at=None, back_at__lte=Now())
        if not over.update(reverted_at=Now()):
            return 0
        unchanged = Product.objects.filter(pk=product.pk, **_changed_values(change.get()))
        if not unchanged.update(**_restored_values(change.get())):
            change.update(is_kept=True)
    _keep_parent(product)
    return 1


def _keep_parent(product: Product) -> None:
    """Outside the product's lock: who changes a parent locks it before its variants."""
    if product.variant_of_id is not None:
        keep_lowest_price(product.variant_of_id)


@contextmanager
def lock_product(change_id: int, *, patience: str | None) -> Iterator[Product]:
    """Lock the change's product for one transaction: what it is now is what the change replaces.

    Waits for `patience` at most. Raises _ProductLocked if somebody has it for longer.
    """
    change = ScheduledChange.objects.get(pk=change_id)
    products = Product.objects.filter(pk=change.product_id)
    try:
        with transaction.atomic():
            if patience is not None:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT set_config('lock_timeout', %s, true)", [patience])
            locked = products.select_for_update(no_key=True, skip_locked=patience is None).first()
            if locked is None:
                raise _ProductLocked if products.exists() else Product.DoesNotExist
            yield locked
    except OperationalError as error:
        if is_lock_timeout(error):
            raise _ProductLocked from error
        raise


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
