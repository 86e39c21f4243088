"""A sound order, and every way to break it behind the shop's back."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.db import connection
from django.db.models.functions import Now

from media_jobs.models import MediaJob
from notifications.models import Notification
from orders.models import Order, OrderLine, ProductSales, SalesEntry, Stock, StockMovement
from tests.factories import add_product

OLD = timedelta(minutes=2)
"""Sales are judged after a minute."""


def place(*, sku: str = "TEA") -> Order:
    """Write an order of three TEA, two minutes old, with all that belongs to it; 7 are left."""
    tea = add_product(sku, stock=10, price="2.50")
    placed = Order.objects.create(
        id=uuid4(),
        door="api",
        fingerprint="0" * 64,
        name="Ada",
        email="ada@example.org",
        language="en",
        currency="EUR",
        items_total=Decimal("7.50"),
        total=Decimal("7.50"),
        placed_at=Now() - OLD,
        changed_at=Now() - OLD,
    )
    amount = Decimal("7.50")
    OrderLine.objects.create(
        order=placed, product=tea, sku=sku, name="Tea", quantity=3,
        unit_price=Decimal("2.50"), total=amount,
    )  # fmt: skip
    StockMovement.objects.create(order=placed, product=tea, kind="order", quantity=-3)
    Stock.objects.filter(product=tea).update(available=7)
    SalesEntry.objects.create(
        order_id=placed.pk, product=tea, units=3, amount=amount, changed_at=Now() - OLD
    )
    ProductSales.objects.filter(product=tea).update(units=3, amount=amount)
    Notification.objects.create(
        order_id=placed.pk, kind="k", event="order_placed", channel="email",
        recipient="r@example.org", language="en",
    )  # fmt: skip
    MediaJob.objects.create(order_id=placed.pk, kind="k", source=f"order:{placed.pk}", recipe="r")
    return placed


def sql(statement: str, *values: Any) -> None:
    """Change the database behind the shop's back."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


BREAKS: dict[str, tuple[str, str, str]] = {
    "an upload without its job": (
        "INSERT INTO orders_upload"
        " (token, file, name, content_type, size, sha256, address, line_id, quantity)"
        " SELECT gen_random_uuid(), 'x', 'x', 'image/png', 1, 'x', '::1', id, 1"
        " FROM orders_orderline",
        "orders: an upload of an order has its job, and no line more than its units",
        "no job",
    ),
    "a line with more uploads than units": (
        "INSERT INTO orders_upload"
        " (token, file, name, content_type, size, sha256, address, line_id, quantity)"
        " SELECT gen_random_uuid(), 'x', 'x', 'image/png', 1, 'x', '::1', id, 4"
        " FROM orders_orderline",
        "orders: an upload of an order has its job, and no line more than its units",
        "units 3, uploads 4",
    ),
    "a counter that lost a unit": (
        "UPDATE orders_stock SET available = 6",
        "stock: initial + movements - held = available",
        "ledger 7, counter 6",
    ),
    "a hold that nobody gave back": (
        "INSERT INTO orders_hold (id, fingerprint, units, expires_at)"
        " VALUES (gen_random_uuid(), '', 1, now() - interval '2 min');"
        "INSERT INTO orders_holdline (hold_id, product_id, quantity)"
        " SELECT orders_hold.id, product_id, 1 FROM orders_hold, orders_stock;"
        "UPDATE orders_stock SET available = available - 1",
        "holds: only open holds have units, and none is open after its time",
        "open, until",
    ),
    "a voucher without its use": (
        "UPDATE orders_order SET voucher_code = 'TEN'",
        "vouchers: an order with a code has its use, given back once cancelled",
        "placed, discount 0.00, use missing",
    ),
    "a use that nobody counted": (
        "INSERT INTO orders_voucher (code, kind, value) VALUES ('TEN', 'percent', 10);"
        "UPDATE orders_voucher SET used = 2",
        "vouchers: the counter is the number of uses that weren't given back",
        "voucher TEN: counter 2, uses 0",
    ),
    "a unit in two returns": (
        "INSERT INTO orders_return (id, order_id, reason)"
        " SELECT gen_random_uuid(), id, '' FROM orders_order, generate_series(1, 2);"
        "INSERT INTO orders_returnline (of_return_id, line_id, quantity)"
        " SELECT orders_return.id, orders_orderline.id, 2 FROM orders_return, orders_orderline",
        "returns: what came is refunded, and no unit is returned twice",
        "units 3, refunded 0, in open returns 4",
    ),
    "a movement that vanished": (
        "DELETE FROM orders_stockmovement",
        "orders: an order has lines and took their stock",
        "lines 3, taken 0",
    ),
    "a movement of another size": (
        "UPDATE orders_stockmovement SET quantity = -2",
        "orders: an order has lines and took their stock",
        "lines 3, taken 2",
    ),
    "an order without lines": (
        "DELETE FROM orders_orderline",
        "orders: an order has lines and took their stock",
        "no lines",
    ),
    "a total that isn't the sum": (
        "UPDATE orders_order SET items_total = 7, total = 7",
        "orders: an order's items total is the sum of its lines",
        "lines 7.50, order 7.00",
    ),
    "an order without its e-mail": (
        "DELETE FROM notifications_notification",
        "orders: an order has its jobs",
        "order ",
    ),
    "an order without its picture": (
        "DELETE FROM media_jobs_mediajob",
        "orders: an order has its jobs",
        "order ",
    ),
    "an entry that lost a unit": (
        "UPDATE orders_salesentry SET units = 2",
        "sales: entries = lines of the orders that count",
        "lines 3, entry 2",
    ),
    "an entry of another amount": (
        "UPDATE orders_salesentry SET amount = 7",
        "sales: entries = lines of the orders that count",
        "lines 3, entry 3",
    ),
    "an entry that vanished": (
        "DELETE FROM orders_salesentry",
        "sales: entries = lines of the orders that count",
        "lines 3, entry 0",
    ),
    "an entry of an order that doesn't exist": (
        "UPDATE orders_salesentry SET order_id = gen_random_uuid()",
        "sales: entries = lines of the orders that count",
        "lines 0, entry 3",
    ),
    "an entry of a cancelled order": (
        "WITH back AS (INSERT INTO orders_stockmovement (order_id, product_id, kind, quantity)"
        " SELECT order_id, product_id, 'cancel', quantity FROM orders_orderline),"
        " counted AS (UPDATE orders_stock SET available = available + 3)"
        " UPDATE orders_order SET status = 'cancelled'",
        "sales: entries = lines of the orders that count",
        "lines 0, entry 3",
    ),
    "a cancelled order that keeps its stock": (
        "UPDATE orders_order SET status = 'cancelled'",
        "orders: what was cancelled or refunded is back in stock",
        "to give back 3, given back 0",
    ),
    "a refunded unit without a refund": (
        "UPDATE orders_orderline SET refunded = 1",
        "orders: refunded units = refund lines, and an order is refunded once all are",
        "refunded 1, refund lines 0",
    ),
    "a refunded order with units left": (
        "UPDATE orders_order SET status = 'refunded'",
        "orders: refunded units = refund lines, and an order is refunded once all are",
        "refunded, left 3",
    ),
    "a paid order without a payment": (
        "UPDATE orders_order SET status = 'paid'",
        "money: payments make an order paid, and refunds never exceed them",
        "paid 0, refunded 0",
    ),
    "an invoice without the one before it": (
        "WITH counted AS (INSERT INTO orders_invoicecounter (kind, last) VALUES ('invoice', 2))"
        " INSERT INTO orders_invoice (order_id, kind, number, data)"
        " SELECT id, 'invoice', 2, '{}' FROM orders_order",
        "invoices: the numbers of a kind have no gap",
        "invoice 2: counter 2",
    ),
    "an invoice after the last one counted": (
        "INSERT INTO orders_invoice (order_id, kind, number, data)"
        " SELECT id, 'invoice', 1, '{}' FROM orders_order",
        "invoices: the numbers of a kind have no gap",
        "invoice 1: counter 0",
    ),
    "a sales counter that is too high": (
        "UPDATE orders_productsales SET units = 4",
        "sales: counters = sum of entries",
        "counter 4, entries 3",
    ),
    "an address that was changed in one table only": (
        "WITH account AS (INSERT INTO orders_user (username, email, password, first_name,"
        " last_name, name, phone, language, is_superuser, is_staff, is_active, date_joined,"
        " muted_events, wants_announcements) VALUES ('ada', 'new@example.org', '', '', '', '', '',"
        " '', false, false, true, now(), '[]', false) RETURNING id)"
        ' INSERT INTO account_emailaddress (user_id, email, verified, "primary")'
        " SELECT id, 'old@example.org', true, true FROM account",
        "accounts: the user's address is one of its rows in allauth's table",
        "user ",
    ),
    "an address that the migration had to escape": (
        "INSERT INTO orders_user (username, email, password, first_name,"
        " last_name, name, phone, language, is_superuser, is_staff, is_active, date_joined,"
        " muted_events, wants_announcements) VALUES ('ada', 'ada@m\\xfcnchen.example', '', '', '',"
        " '', '', '', false, false, true, now(), '[]', false)",
        "accounts: addresses have the one form of project.email_addresses",
        "user ",
    ),
    "a sales counter that vanished": (
        "DELETE FROM orders_productsales",
        "sales: counters = sum of entries",
        "counter 0, entries 3",
    ),
}
