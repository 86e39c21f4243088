"""What the shop's audit walks over: products, orders, invoices, vouchers, accounts."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db import connection

from orders.audits import balances
from orders.models import Voucher
from orders.placing.settle import changed_orders
from project.monitoring.audit import Changed, Subject, register_subject
from project.schedule.passes import FIRST_KEY, Position

PAGE_SIZE = 1000
"""Orders of a page: some hundredths of a second each."""
PRODUCTS_PAGE_SIZE = 100
"""Products whose ledgers are added up in one snapshot."""
MOST_COUNTED_USES = 100_000
"""Uses of a voucher that the five-minute audit counts: some hundredths of a second."""
NEWEST_INVOICES = 5000
"""Invoices of which the five-minute audit looks for new ones."""
NEWEST_ACCOUNTS = 5000
"""Accounts of which the five-minute audit looks for new ones."""


def _changed_products(since: datetime, until: datetime) -> Iterator[Changed]:
    found = balances.note_differing(since=since)
    for begin in range(0, len(found), PRODUCTS_PAGE_SIZE):
        yield Changed(found[begin : begin + PRODUCTS_PAGE_SIZE])


def _changed_orders(since: datetime, until: datetime) -> Iterator[Changed]:
    after = Position(since, FIRST_KEY)
    while page := changed_orders(after, until, PAGE_SIZE):
        yield Changed(list({row.key for row in page}), until=page[-1].at)
        after = Position(page[-1].at, page[-1].key)


def _new_invoices(since: datetime, until: datetime) -> Iterator[Changed]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM (SELECT id, issued_at FROM orders_invoice ORDER BY id DESC LIMIT %s)"
            " AS newest WHERE issued_at >= %s ORDER BY id",
            [NEWEST_INVOICES, since],
        )
        if keys := [row[0] for row in cursor.fetchall()]:
            yield Changed(keys)


def _new_accounts(since: datetime, until: datetime) -> Iterator[Changed]:
    """Return accounts that were opened. A changed address leaves no time: the night finds it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM (SELECT id, date_joined FROM orders_user ORDER BY id DESC LIMIT %s)"
            " AS newest WHERE date_joined >= %s ORDER BY id",
            [NEWEST_ACCOUNTS, since],
        )
        if keys := [row[0] for row in cursor.fetchall()]:
            yield Changed(keys)


def _counted_quickly(since: datetime, until: datetime) -> Iterator[Changed]:
    """Return the vouchers with few uses, which are counted each time; the night counts all."""
    few = Voucher.objects.filter(used__lte=MOST_COUNTED_USES).order_by("pk")
    keys = list(few.values_list("pk", flat=True))
    for begin in range(0, len(keys), PRODUCTS_PAGE_SIZE):
        yield Changed(keys[begin : begin + PRODUCTS_PAGE_SIZE])


# Products come first: settling an order's entries moves the counters by the difference, so a
# correction of the counters must come before one of the entries.
PRODUCTS = register_subject(
    Subject(
        name="products",
        keys=(("orders_product", "id"),),
        type="bigint",
        first=0,
        changed=_changed_products,
        note_checked=balances.carry_forward,
    )
)
ORDERS = register_subject(
    Subject(
        name="orders",
        # An entry has no foreign key: its order may not exist.
        keys=(("orders_order", "id"), ("orders_salesentry", "order_id")),
        type="uuid",
        first=UUID(int=0),
        changed=_changed_orders,
    )
)
INVOICES = register_subject(
    Subject(
        name="invoices",
        keys=(("orders_invoice", "id"),),
        type="bigint",
        first=0,
        changed=_new_invoices,
    )
)
VOUCHERS = register_subject(
    Subject(
        name="vouchers",
        keys=(("orders_voucher", "id"),),
        type="bigint",
        first=0,
        changed=_counted_quickly,
    )
)
ACCOUNTS = register_subject(
    Subject(
        name="accounts",
        keys=(("orders_user", "id"),),
        type="bigint",
        first=0,
        changed=_new_accounts,
    )
)
