"""The hold of a shopper's checkout: which one it is, and what its page shows of it.

The session names it, and the form of the checkout, in case the session is lost. A shopper has one
at a time: the next one replaces it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from orders.holds.holding import HoldsAreOff, Units, fingerprint_of, hold, read_hold
from orders.holds.limit import TooManyHolds
from orders.models import Order
from orders.placing.errors import OutOfStock, PlacementError
from orders.placing.held_units import read_held
from orders.placing.request import RequestedLine
from project.database.clock import database_now
from project.limits.client_address import counted_address

_HOLD = "hold"
"""The session's entry with the hold's id."""


@dataclass(frozen=True)
class Clock:
    """How long the checkout's units are set aside."""

    state: str
    """`wanted`: not asked for yet; `open`; `over`: its time is over; `short`: somebody else had the
    last ones; `none`: they can't be set aside now, which hinders nobody to order; `off`."""
    until: datetime | None = None
    seconds: int = 0
    """The seconds until then."""
    hold_id: UUID | None = None
    """The hold that is open."""

    @property
    def is_open(self) -> bool:
        return self.state == "open"

    @property
    def minutes(self) -> int:
        """The minutes for which the shop holds units."""
        minutes: int = settings.HOLD_MINUTES
        return minutes


def hold_of(session: SessionBase) -> UUID | None:
    """Return the id of the shopper's hold, which may have ended."""
    name = session.get(_HOLD)
    return UUID(name) if name else None


def own_units(session: SessionBase) -> dict[int, int]:
    """Return the units by product that are set aside for the shopper; no query without a hold."""
    hold_id = hold_of(session)
    held = read_held(hold_id) if hold_id else None
    return held.units if held else {}


def usable_hold(session: SessionBase) -> UUID | None:
    """Return the id of the shopper's hold if it is open: an order that names none is as good."""
    hold_id = hold_of(session)
    return hold_id if hold_id and read_held(hold_id) else None


def take_back_hold(session: SessionBase, named: UUID | None) -> None:
    """Give a session without a hold the open one that its form names.

    The session that named it was lost, and its units would be sold out for their own shopper.
    """
    if named and not hold_of(session) and read_held(named):
        session[_HOLD] = str(named)


def forget_hold(session: SessionBase) -> None:
    """Forget the hold if it has ended. One that is open may be another tab's."""
    if usable_hold(session) is None:
        session.pop(_HOLD, None)


def clock_of(session: SessionBase, lines: Sequence[RequestedLine]) -> Clock:
    """Return how the lines are held, as the page is shown."""
    if not settings.HOLD_MINUTES:
        return Clock("off")
    hold_id = hold_of(session)
    held = read_hold(hold_id) if hold_id else None
    if held is None or held.fingerprint != fingerprint_of(lines):
        return Clock("wanted")
    return _clock(held)


def hold_lines(request: HttpRequest, lines: Sequence[RequestedLine], *, key: str) -> Clock:
    """Set the lines' units aside; what was set aside before counts for them.

    `key` is the cart's. Two tabs that ask at once, and a repeat of what got no answer, have the
    same hold: its own key is made of the cart's, the lines and the hold before it.
    """
    held = None
    if hold_id := hold_of(request.session):
        held = read_hold(hold_id)
    if held and held.fingerprint == fingerprint_of(lines) and (clock := _clock(held)).is_open:
        return clock  # asked for twice: the clock goes on
    try:
        held = hold(
            lines,
            key=f"{key}:{fingerprint_of(lines)}:{hold_id or ''}",
            source=Order.Source.SHOP,
            replaces=hold_id,
            counted_address=counted_address(request),
        )
    except HoldsAreOff:
        return Clock("off")
    except OutOfStock:
        return Clock("short")
    except (PlacementError, TooManyHolds):
        return Clock("none")
    request.session[_HOLD] = str(held.id)
    return _clock(held)


def _clock(held: Units) -> Clock:
    left = (held.expires_at - database_now()).total_seconds()
    if held.is_open and left > 0:
        return Clock("open", held.expires_at, seconds=math.ceil(left), hold_id=held.id)
    return Clock("over")
