"""Holding units and giving them back: the services of shop and API.

The StockWriter does both, in the batches of orders. So a hold can't take a unit that an order takes
at the same moment, and it is as fast on a hot product.
"""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import Error, connection

from orders.holds.limit import count_hold
from orders.models import Hold, Order
from orders.placing.draft import AlreadyPlaced
from orders.placing.errors import (
    InvalidOrder,
    OutOfStock,
    PlacementError,
    PlacementFailed,
    ShopBusy,
    Shortage,
)
from orders.placing.held_units import (
    GiveBack,
    HeldLine,
    HeldUnits,
    HoldDraft,
    NotHeld,
    read_held,
)
from orders.placing.identity import hold_ids
from orders.placing.offers import Offer, look_up, parents_among
from orders.placing.placement import DEADLINE, GRACE, turn
from orders.placing.request import RequestedLine, line_errors, merged
from orders.placing.writers import writers
from project.database.errors import dropped_if_lost
from project.group_commit import NotCommittedError, NotTakenError, UnknownCommitError


class HoldsAreOff(Exception):
    """The shop holds nothing (`HOLD_MINUTES=0`)."""


@dataclass(frozen=True)
class Units:
    """A hold as its shopper sees it."""

    id: UUID
    expires_at: datetime
    is_open: bool
    fingerprint: str
    is_new: bool = False
    """This call made it; otherwise it repeats the one that did."""


def hold(
    lines: Sequence[RequestedLine],
    *,
    key: str = "",
    source: Order.Source = Order.Source.API,
    replaces: UUID | None = None,
    counted_address: str = "",
) -> Units:
    """Hold the lines' units for `HOLD_MINUTES`: all of them or none.

    With an idempotency `key` a repeat returns the first hold, whatever has become of it. The units
    of the hold that it `replaces` count for this one, which ends that one in the same transaction.
    Raises HoldsAreOff, TooManyHolds, and the errors of `place_order`: InvalidOrder, OutOfStock,
    KeyReused, ShopBusy and PlacementFailed.
    """
    if not settings.HOLD_MINUTES:
        raise HoldsAreOff
    ids = hold_ids(source=source, key=key) if key else [uuid4()]
    try:
        with turn():
            return _hold(lines, ids, replaces=replaces, counted_address=counted_address)
    except Error as error:
        # The reads before the writer: nothing was held.
        if dropped_if_lost(error, connection):
            raise ShopBusy from error
        raise


def _hold(
    lines: Sequence[RequestedLine],
    ids: Sequence[UUID],
    *,
    replaces: UUID | None,
    counted_address: str,
) -> Units:
    fingerprint = fingerprint_of(lines)
    before = Hold.objects.filter(pk__in=ids).first()
    wanted = ids[0] if before is None else before.pk
    if before is not None and before.fingerprint == fingerprint:
        return _units(before)
    # Before the stock is read, as placing does.
    held = read_held(replaces) if replaces else None
    _none, offers = look_up(order_ids=(), skus=merged(lines), country="")
    unknown = merged(lines).keys() - offers.keys()
    if errors := line_errors(lines, unknown=unknown, parents=parents_among(offers)):
        raise InvalidOrder(errors)
    draft = HoldDraft(
        id=wanted,
        fingerprint=fingerprint,
        lines=_lines(lines, offers, held),
        seconds=settings.HOLD_MINUTES * 60,
        held=held,
    )
    count_hold(counted_address)
    answer = _submit(draft)
    if isinstance(answer, AlreadyPlaced):  # a repeat was quicker
        return _units(Hold.objects.get(pk=wanted))
    return Units(wanted, answer.expires_at, is_open=True, fingerprint=fingerprint, is_new=True)


def give_back(hold: UUID, *, status: Hold.Status = Hold.Status.GIVEN_BACK) -> Hold.Status:
    """End the hold and make its units available; return its status now, as the repeat does.

    Raises Hold.DoesNotExist, ShopBusy and PlacementFailed.
    """
    found = Hold.objects.get(pk=hold)
    if found.status == Hold.Status.OPEN and (held := read_held(hold)):
        try:
            _submit(GiveBack(held, status))
            return status
        except NotHeld:
            pass
    return Hold.Status(Hold.objects.values_list("status", flat=True).get(pk=hold))


def read_hold(hold: UUID) -> Units | None:
    """Return the hold as it is now; None if there is none."""
    found = Hold.objects.filter(pk=hold).first()
    return _units(found) if found else None


def fingerprint_of(lines: Sequence[RequestedLine]) -> str:
    """Return a SHA-256 of the units by SKU."""
    return hashlib.sha256(json.dumps(sorted(merged(lines).items())).encode()).hexdigest()


def _lines(
    lines: Sequence[RequestedLine], offers: dict[str, Offer], held: HeldUnits | None
) -> tuple[HeldLine, ...]:
    """Return the lines with their products. Raises OutOfStock, by a look without a lock: a rush on
    a sold-out product stays away from the writer.
    """
    found = tuple(
        HeldLine(offers[sku].product_id, sku, offers[sku].name, quantity)
        for sku, quantity in merged(lines).items()
    )
    own = held.units if held else {}
    there = {line.sku: offers[line.sku].available + own.get(line.product_id, 0) for line in found}
    if short := [
        Shortage(line.sku, line.name, line.quantity, there[line.sku])
        for line in found
        if there[line.sku] < line.quantity
    ]:
        raise OutOfStock(short)
    return found


def _submit(item: HoldDraft | GiveBack) -> Any:
    """Let the StockWriter serve the item; return its answer or raise it."""
    connection.close()  # who waits holds no connection: the pool stays free for pages
    try:
        submission = writers().stock.submit(item, deadline=time.monotonic() + DEADLINE)
        return submission.result(grace=GRACE)
    except (NotTakenError, NotCommittedError, UnknownCommitError) as error:
        # In doubt too: a hold that nobody knows of ends by itself, and a given-back one has ended.
        raise ShopBusy from error
    except PlacementError:
        raise
    except Exception as error:
        raise PlacementFailed from error


def _units(hold: Hold) -> Units:
    return Units(
        hold.pk,
        hold.expires_at,
        is_open=hold.status == Hold.Status.OPEN,
        fingerprint=hold.fingerprint,
    )
