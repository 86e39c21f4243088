"""Takes the shop's guards out, for the controls.

They are every row lock, and for each attack what else keeps it from happening. The database's own
constraints are the tests' to take out.
"""

import re
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.db.backends.utils import CursorWrapper
from django.db.models import F
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse

from orders.accounts import guesses
from orders.carts import cart
from orders.lifecycle import refunds, transitions
from orders.messages import waiting_list
from orders.models import Cart, Order, OrderLine
from orders.placing import placement
from orders.shop.views import checkout

LOCKING = re.compile(
    r'\s+FOR (?:NO KEY UPDATE|UPDATE|KEY SHARE)(?: OF "?\w+"?)?(?: SKIP LOCKED)?(?=\s|\)|$)'
)


def read_without_locks() -> None:
    execute = CursorWrapper.execute

    def execute_unlocked(self: CursorWrapper, sql: Any, params: Any = None) -> Any:
        return execute(self, LOCKING.sub("", sql) if isinstance(sql, str) else sql, params)

    CursorWrapper.execute = execute_unlocked


def forget_what_was_shown() -> None:
    """Order what the cart holds now at the prices of now, whatever the page said."""
    place = checkout._place

    def place_the_cart(request: HttpRequest, form: Any) -> HttpResponse:
        form.cleaned_data |= {
            "line": tuple(cart.cart_of(request).lines),
            "expected_total": None,
        }
        return place(request, form)

    checkout._place = place_the_cart


def know_no_key() -> None:
    """Give each request for an order an id of its own."""
    placement.order_ids = lambda **of: [uuid4()]


def take_each_step_as_it_was_seen() -> None:
    """Move an order whatever became of it since it was read."""

    def move(order_id: UUID, *, to: Any, among: Any = ()) -> bool:
        return Order.objects.filter(pk=order_id).update(status=to, changed_at=Now()) == 1

    def take_units(line: OrderLine, quantity: int) -> bool:
        left = OrderLine.objects.filter(pk=line.pk)
        return left.update(refunded=F("refunded") + quantity) == 1

    transitions.move = move
    for module in (transitions, refunds):
        module.require_seen = lambda order, *, seen: None
    refunds.add_refunded_units = take_units
    refunds.refunded_so_far = lambda order: Decimal(0)


def add_up_carts() -> None:
    """Add a guest's units to those of the account: harmless, if it is done once."""

    def add_up(guest: Cart, *, into: Cart) -> cart.Merged:
        for line in list(guest.lines.all()):
            same = into.lines.filter(sku=line.sku)
            if not same.update(quantity=F("quantity") + line.quantity):
                into.lines.create(
                    sku=line.sku, quantity=line.quantity, seen_name=line.seen_name, seen_price=None
                )
        guest.delete()
        return cart.Merged()

    cart._merge = add_up


def make_entries_by_chance() -> None:
    """Give each wish to be told an id of its own."""
    waiting_list.entry_id = lambda **of: uuid4()


def let_guess() -> None:
    """Count wrong codes in the session alone."""
    guesses.may_guess = lambda request: True


def take_out_guards() -> None:
    """Take out all of them; an attack meets its own."""
    read_without_locks()
    forget_what_was_shown()
    know_no_key()
    take_each_step_as_it_was_seen()
    add_up_carts()
    make_entries_by_chance()
    let_guess()
