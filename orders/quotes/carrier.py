"""The interface of a carrier: each module of `orders.quotes.carriers` implements it."""

from dataclasses import dataclass
from typing import Protocol

from notifications.channels.deadline import Deadline
from orders.quotes.parcel import Missing, Parcel, Quote


@dataclass(frozen=True)
class Answer:
    """What one carrier says about one parcel. Without quotes it says why."""

    quotes: tuple[Quote, ...] = ()
    missing: tuple[Missing, ...] = ()


class CarrierError(Exception):
    """The carrier can't be reached or is at fault; the message is for the log."""


class UnreadableAnswerError(CarrierError):
    """The carrier answered something that isn't an answer."""


class Carrier(Protocol):
    name: str
    """As in `delivery.carrier` of an order; no two carriers have the same."""
    is_remote: bool
    """It is asked in a thread, and its answer is kept. One that isn't computes its price at once
    and never raises."""
    needs_address: bool

    @property
    def days(self) -> int | None:
        """Until its parcels are there, at most; None: it has to be asked."""

    def ask(self, parcel: Parcel, deadline: Deadline) -> Answer:
        """Return the carrier's answer within the deadline.

        It runs in a thread of `orders.quotes.asking`, so it doesn't use the database. The same
        parcel may be asked for any number of times. Raises CarrierError, and OSError (TimeoutError
        for one that is late).
        """
