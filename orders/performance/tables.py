"""The run's own tables: those that placing an order writes to, empty, with one product.

They are in a schema of their own (`project.database.run_schema`), made from the shop's tables as
they are now: with the same columns, indexes, CHECKs, and foreign keys among each other. Only the
messages are the shop's: a trigger puts them into its queue, so that relay and workers get them.
Nothing here depends on a table of the shop, so leftovers of a killed run don't hinder a migration.
"""

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from media_jobs.models import MediaJob
from notifications.models import Notification, WebhookEndpoint
from orders.models import (
    Order,
    OrderEvent,
    OrderLine,
    Product,
    ProductSales,
    SalesEntry,
    Stock,
    StockMovement,
)
from project.database.run_schema import SCHEMA

SKU = "PERFORMANCE-RUN"
PRODUCT_ID = 9_000_000_000_000_000
"""No product of the shop has such an id."""
_MODELS = (
    *(Product, Stock, StockMovement, ProductSales, SalesEntry),
    *(Order, OrderLine, OrderEvent, MediaJob, Notification),
    WebhookEndpoint,  # none: no other system is told of a run's orders
)
_TABLES = [model._meta.db_table for model in _MODELS]

# In their own words, which name other tables without a schema: there they are the run's.
_FOREIGN_KEYS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint
    WHERE contype = 'f' AND connamespace = current_schema()::regnamespace
      AND conrelid = ANY(%s::regclass[]) AND confrelid = ANY(%s::regclass[])
"""
_QUEUE_MESSAGE = """
    CREATE FUNCTION queue_message() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO {shop}.notifications_notification
            (id, order_id, kind, context, traceparent, event, channel, recipient, language)
        VALUES (NEW.id, NEW.order_id, NEW.kind, NEW.context, NEW.traceparent, NEW.event,
                NEW.channel, NEW.recipient, NEW.language);
        RETURN NULL;
    END $$;
    CREATE TRIGGER queue_message BEFORE INSERT ON notifications_notification
    FOR EACH ROW EXECUTE FUNCTION queue_message()
"""


def create_tables(*, orders: int) -> None:
    """Create the run's tables, and its product with stock for so many orders."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(current_schema())")
        shop = cursor.fetchone()[0]
        cursor.execute(_FOREIGN_KEYS, [_TABLES, _TABLES])
        foreign_keys = cursor.fetchall()
        cursor.execute(f"CREATE SCHEMA {SCHEMA}")
        cursor.execute(f"SET LOCAL search_path = {SCHEMA}")
        for table in _TABLES:
            cursor.execute(f"CREATE TABLE {table} (LIKE {shop}.{table} INCLUDING ALL)")
        for table, name, definition in foreign_keys:
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        cursor.execute("CREATE SEQUENCE orders_order_number")
        cursor.execute(_QUEUE_MESSAGE.format(shop=shop))
        _add_product(cursor, stock=orders)


def _add_product(cursor: CursorWrapper, *, stock: int) -> None:
    cursor.execute(
        "INSERT INTO orders_product (id, sku, name, slug, description, price, is_active,"
        " requires_upload, personalisation, category_id)"
        " VALUES (%s, %s, %s, %s, '', 1, true, false, 'none', %s)",
        [PRODUCT_ID, SKU, settings.SHOP_NAME, SKU.lower(), PRODUCT_ID],
    )
    cursor.execute("INSERT INTO orders_stock VALUES (%s, %s, %s)", [PRODUCT_ID, stock, stock])
    cursor.execute("INSERT INTO orders_productsales VALUES (%s, 0, 0)", [PRODUCT_ID])


def drop_tables() -> None:
    """Drop the run's tables with all of their rows, if there are any."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
