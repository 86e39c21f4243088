"""The ways to place an order that `bench placement` compares."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import connections

from orders.benchmarks.placement.fresh_threads import place_in_fresh_threads
from orders.benchmarks.placement.one_after_the_other import one_after_the_other
from orders.benchmarks.placement.textbook import (
    place_locked_order,
    place_textbook_order,
    place_unsorted_order,
)
from orders.placing.errors import VoucherRefused
from orders.placing.placement import place_order
from orders.placing.request import OrderRequest
from project.database import timeouts
from project.limits.rates import ORDER_LIMITS, Rate

UNREACHED = dict.fromkeys(ORDER_LIMITS, Rate(100_000_000, 86_400))
"""Order limits that count each order and refuse none."""

TEXTBOOK, LOCKED, FRESH = "textbook", "select_for_update", "two fresh threads"
TANDEM, COUNTED, VOUCHER = "tandem", "counted", "tandem, with a voucher"
VOUCHER_CODE = "BENCH"
SEQUENTIAL, UNSORTED = "one after the other", "textbook, unsorted"
PATIENT = "tandem, longer lock timeout"
LONG = "9s"
"""PostgreSQL looks for a deadlock when a lock was waited for a second. The writers' own timeout is
as long: it may end a deadlock before it is counted."""


@contextmanager
def order_limits(limits: dict[str, Rate] | None) -> Iterator[None]:
    """Count orders by these limits; None: not at all."""
    before = settings.ORDER_LIMITS
    settings.ORDER_LIMITS = limits
    try:
        yield
    finally:
        settings.ORDER_LIMITS = before


@dataclass(frozen=True)
class Variant:
    """A way to place orders, and what must surround a load of them."""

    place: Callable[[OrderRequest], object]
    around: Callable[[], AbstractContextManager[None]]


@contextmanager
def _unlimited() -> Iterator[None]:
    with order_limits(None):
        yield


@contextmanager
def _counted() -> Iterator[None]:
    with order_limits(UNREACHED):
        yield


@contextmanager
def _sequential() -> Iterator[None]:
    with order_limits(None), one_after_the_other():
        yield


@contextmanager
def _patient() -> Iterator[None]:
    """It is for a process whose writers have no connection yet."""
    options = connections["writer"].settings_dict["OPTIONS"]
    before = options["options"]
    options["options"] = replace(timeouts.WRITER, lock=LONG).options
    try:
        with order_limits(None):
            yield
    finally:
        options["options"] = before


def _place_with_voucher(request: OrderRequest) -> object:
    """Place it with the code; when that is used up, without."""
    try:
        return place_order(replace(request, voucher=VOUCHER_CODE))
    except VoucherRefused:
        return place_order(request)


VARIANTS = {
    VOUCHER: Variant(_place_with_voucher, _unlimited),
    TEXTBOOK: Variant(place_textbook_order, _unlimited),
    LOCKED: Variant(place_locked_order, _unlimited),
    FRESH: Variant(place_in_fresh_threads, _unlimited),
    TANDEM: Variant(place_order, _unlimited),
    COUNTED: Variant(place_order, _counted),
    SEQUENTIAL: Variant(place_order, _sequential),
    PATIENT: Variant(place_order, _patient),
    UNSORTED: Variant(place_unsorted_order, _unlimited),
}
