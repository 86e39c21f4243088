"""Taking demo orders away again, in batches: what a fill made, and nothing else.

Ids derive from keys, and keys from the fill's seed and the orders' positions. So no row needs a
mark, and a fill or a removal that was interrupted is taken away like a whole one.
"""

from collections.abc import Callable
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from orders.demo.orders import catalogue, shoppers
from orders.demo.orders.fill import LOCK, InUse
from orders.demo.orders.lives import key_of, source_of
from orders.demo.orders.pass_pictures import remove_passes
from orders.models import DemoFill, Order, SalesQuarter
from orders.placing.identity import order_ids
from orders.reports.quarters import count_anew
from project.database.advisory_lock import try_lock
from project.database.arrays import array_literal

BATCH_SIZE = 5_000


def remove_orders(*, say: Callable[[str], object] = lambda _line: None) -> int | None:
    """Remove the demo orders and all that was made for them; return their number.

    None if there are none. Each batch is a transaction that keeps every rule, so a removal may be
    interrupted and repeated. Products and accounts stay that real orders refer to. Raises InUse.
    """
    with try_lock(LOCK) as locked:
        if not locked:
            raise InUse
        record = DemoFill.objects.first()
        if record is None:
            return None
        removed = 0
        for begin in range(0, record.orders, BATCH_SIZE):
            end = min(begin + BATCH_SIZE, record.orders)
            removed += _remove_batch(_ids(record.seed, range(begin, end)))
            say(f"{end:,} of {record.orders:,} orders are removed.")
        _remove_staff_messages(shoppers.office(record.seed))
        _remove_products(catalogue.skus(orders=record.orders, seed=record.seed), record.seed)
        _remove_accounts(shoppers.usernames(orders=record.orders, seed=record.seed))
        remove_passes(seed=record.seed)
        count_anew()
        SalesQuarter.objects.filter(orders=0).delete()
        record.delete()
    return removed


def _ids(seed: int, positions: range) -> list[UUID]:
    """Return the orders' ids, also those by a SECRET_KEY before a rotation.

    Before there were orders of the desk, each of them was the shop's.
    """
    return [
        one
        for position in positions
        for source in {source_of(position), Order.Source.SHOP}
        for one in order_ids(source=source, user_id=None, key=key_of(position, seed=seed))
    ]


def _remove_batch(ids: list[UUID]) -> int:
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("CREATE TEMP TABLE gone (id uuid PRIMARY KEY) ON COMMIT DROP")
        cursor.execute("INSERT INTO gone SELECT unnest(%s::uuid[])", [array_literal(ids)])
        cursor.execute("ANALYZE gone")
        for statement in _STATEMENTS:
            cursor.execute(statement)
        return cursor.rowcount


# In the lock order: stock by product, orders by id, sales by product, jobs.
_STATEMENTS = (
    """
    SELECT FROM orders_stock WHERE product_id IN (
        SELECT product_id FROM orders_orderline JOIN gone ON gone.id = order_id)
    ORDER BY product_id FOR NO KEY UPDATE
    """,
    "SELECT FROM orders_order WHERE id IN (TABLE gone) ORDER BY id FOR UPDATE",
    """
    SELECT FROM orders_productsales WHERE product_id IN (
        SELECT product_id FROM orders_orderline JOIN gone ON gone.id = order_id)
    ORDER BY product_id FOR NO KEY UPDATE
    """,
    """
    WITH undone AS (
        DELETE FROM orders_stockmovement WHERE order_id IN (TABLE gone)
        RETURNING product_id, quantity
    )
    UPDATE orders_stock AS stock SET available = available - units
    FROM (SELECT product_id, sum(quantity) AS units FROM undone GROUP BY product_id) AS undone
    WHERE stock.product_id = undone.product_id
    """,
    """
    WITH uncounted AS (
        DELETE FROM orders_salesentry WHERE order_id IN (TABLE gone)
        RETURNING product_id, units, amount
    )
    UPDATE orders_productsales AS sales
    SET units = sales.units - less.units, amount = sales.amount - less.amount
    FROM (SELECT product_id, sum(units) AS units, sum(amount) AS amount
          FROM uncounted GROUP BY product_id) AS less
    WHERE sales.product_id = less.product_id
    """,
    """
    DELETE FROM orders_returnline WHERE of_return_id IN (
        SELECT id FROM orders_return WHERE order_id IN (TABLE gone))
    """,
    "DELETE FROM orders_return WHERE order_id IN (TABLE gone)",
    """
    DELETE FROM orders_refundline WHERE refund_id IN (
        SELECT id FROM orders_refund WHERE order_id IN (TABLE gone))
    """,
    "DELETE FROM orders_refund WHERE order_id IN (TABLE gone)",
    "DELETE FROM orders_payment WHERE order_id IN (TABLE gone)",
    "DELETE FROM orders_ordernote WHERE order_id IN (TABLE gone)",
    "DELETE FROM orders_orderevent WHERE order_id IN (TABLE gone)",
    "DELETE FROM orders_orderline WHERE order_id IN (TABLE gone)",
    """
    DELETE FROM django_celery_results_taskresult WHERE task_id IN (
        SELECT id::text FROM notifications_notification WHERE order_id IN (TABLE gone)
        UNION ALL
        SELECT id::text FROM media_jobs_mediajob WHERE order_id IN (TABLE gone))
    """,
    "DELETE FROM notifications_notification WHERE order_id IN (TABLE gone)",
    """
    DELETE FROM media_jobs_rendition WHERE job_id IN (
        SELECT id FROM media_jobs_mediajob WHERE order_id IN (TABLE gone))
    """,
    "DELETE FROM media_jobs_mediajob WHERE order_id IN (TABLE gone)",
    "DELETE FROM orders_order WHERE id IN (TABLE gone)",
)


def _remove_staff_messages(address: str) -> None:
    """Remove those to the fill's staff, with their results: they name no order."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(
            """
            WITH gone AS (
                DELETE FROM notifications_notification WHERE lower(recipient) = %s RETURNING id
            )
            DELETE FROM django_celery_results_taskresult WHERE task_id IN (
                SELECT id::text FROM gone)
            """,
            [address],
        )


def _remove_products(skus: list[str], seed: int) -> None:
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(
            """
            CREATE TEMP TABLE gone ON COMMIT DROP AS
            SELECT id FROM orders_product AS product
            WHERE sku = ANY(%s)
              AND NOT EXISTS (SELECT FROM orders_orderline WHERE product_id = product.id)
            """,
            [skus],
        )
        for table in (
            *("orders_stockmovement", "orders_stock", "orders_stockalert", "orders_salesentry"),
            *("orders_productsales", "orders_scheduledchange", "orders_productmedia"),
            *("orders_waitinglistentry", "orders_restock", "orders_popularity"),
            "orders_holdline",
        ):
            cursor.execute(f"DELETE FROM {table} WHERE product_id IN (TABLE gone)")
        cursor.execute("DELETE FROM orders_product WHERE id IN (TABLE gone)")
        _remove_categories(cursor, seed)


def _remove_categories(cursor: CursorWrapper, seed: int) -> None:
    slugs = [catalogue.category_slug(name, seed) for name in catalogue.THINGS]
    cursor.execute(
        """
        DELETE FROM orders_category AS category WHERE slug = ANY(%s)
        AND NOT EXISTS (SELECT FROM orders_product WHERE category_id = category.id)
        """,
        [slugs],
    )


def _remove_accounts(usernames: list[str]) -> None:
    for begin in range(0, len(usernames), BATCH_SIZE):
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute(
                """
                CREATE TEMP TABLE gone ON COMMIT DROP AS
                SELECT id FROM orders_user AS account WHERE username = ANY(%s)
                AND NOT EXISTS (SELECT FROM orders_order WHERE user_id = account.id)
                """,
                [usernames[begin : begin + BATCH_SIZE]],
            )
            cursor.execute("DELETE FROM account_emailaddress WHERE user_id IN (TABLE gone)")
            cursor.execute("DELETE FROM orders_address WHERE user_id IN (TABLE gone)")
            cursor.execute("DELETE FROM orders_user WHERE id IN (TABLE gone)")
