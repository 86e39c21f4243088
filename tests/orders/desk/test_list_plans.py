"""The desk's lists read no long table from its beginning: neither a page, a filter nor a search."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.models import Order, User
from tests.factories import add_product

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("list plans")]  # one shop is filled

LONG = {
    "orders_order",
    "orders_orderevent",
    "orders_orderline",
    "orders_stockmovement",
    "notifications_notification",
    "media_jobs_mediajob",
}
ORDERS = 6000
FILL = """
INSERT INTO orders_order (id, door, fingerprint, name, email, phone, language, address, currency,
    items_total, total, status, placed_at)
SELECT gen_random_uuid(),
    CASE WHEN i %% 20 = 0 THEN 'api' WHEN i %% 97 = 0 THEN 'desk' ELSE 'shop' END,
    '', 'Ada Love' || i,
    'c' || i || '@example.org', '+4915' || lpad(i::text, 8, '0'), 'en',
    CASE WHEN i %% 300 = 0 THEN '{"country": "FR"}' WHEN i %% 301 = 0 THEN '{}'
        ELSE '{"country": "DE"}' END::jsonb, 'EUR', 5, 5,
    CASE WHEN i %% 50 = 0 THEN 'placed' WHEN i %% 70 = 0 THEN 'cancelled' ELSE 'shipped' END,
    now() - make_interval(mins => 6000 - i)
FROM generate_series(1, %(orders)s) AS i;
INSERT INTO orders_orderevent (order_id, kind, detail)
SELECT id, 'placed', '{}' FROM orders_order;
INSERT INTO orders_orderevent (order_id, kind, detail)
SELECT id, 'shipped', CASE WHEN number %% 200 = 0 THEN '{"carrier": "DHL"}'
    ELSE '{"carrier": "Post"}' END::jsonb
FROM orders_order WHERE status = 'shipped';
INSERT INTO orders_orderline (order_id, product_id, sku, name, quantity, unit_price, total)
SELECT id, CASE WHEN number %% 200 = 0 THEN %(rare)s ELSE %(product)s END, 'MUG', 'Mug', 1, 5, 5
FROM orders_order;
INSERT INTO orders_stockmovement (order_id, product_id, kind, quantity, created_at)
SELECT id, %(product)s, 'order', -1, placed_at FROM orders_order;
INSERT INTO orders_stockmovement (product_id, kind, quantity, reason)
SELECT %(product)s, 'correction', 1, 'Delivery note 4711' FROM generate_series(1, 9);
INSERT INTO notifications_notification (id, order_id, kind, event, channel, recipient, language,
    context, status, created_at, finished_at, error, delivery, delivery_at)
SELECT gen_random_uuid(), id, 'order_placed.email', 'order_placed', 'email', email, 'en', '{}',
    CASE WHEN number %% 90 = 0 THEN 'failed' ELSE 'done' END, placed_at, placed_at,
    CASE WHEN number %% 90 = 0 THEN '550 no such mailbox' ELSE '' END,
    CASE WHEN number %% 90 = 45 THEN 'bounced' ELSE '' END,
    CASE WHEN number %% 90 = 45 THEN placed_at END
FROM orders_order;
INSERT INTO media_jobs_mediajob (id, order_id, kind, source, recipe, context, status, created_at,
    finished_at)
SELECT gen_random_uuid(), id, 'pickup_pass', 'order:' || id, 'pickup_pass', '{}', 'done',
    placed_at, placed_at
FROM orders_order;
ANALYZE orders_order, orders_orderevent, orders_orderline, orders_stockmovement,
    notifications_notification, media_jobs_mediajob;
"""


@pytest.fixture(scope="module")
def filled(rows_for_the_module: None) -> Order:
    """Fill the long tables, and return an order of the middle."""
    product, rare = add_product("MUG"), add_product("RARE")
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"orders": ORDERS, "product": product.pk, "rare": rare.pk})
        # Of flash memory. With that of a turning disk, and as few rows as here, a hash of the whole
        # table is rightly preferred where some hundred ids are looked up.
        cursor.execute("SET LOCAL random_page_cost = 1.1")
    connection.check_constraints()
    return Order.objects.order_by("number")[ORDERS // 2]


@pytest.fixture
def shop(filled: Order, db: None) -> Order:
    return filled


def plans(client: Client, path: str, query: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """Open the list, and return its queries with their plans."""
    with CaptureQueriesContext(connection) as queries:
        assert client.get(f"/admin/{path}/", query).status_code == 200
    with connection.cursor() as cursor:
        for asked in queries:
            if asked["sql"].startswith(("SELECT", "WITH", "(")):
                cursor.execute(f"EXPLAIN (FORMAT JSON) {asked['sql']}")
                yield asked["sql"], cursor.fetchone()[0][0]["Plan"]


def scanned(plan: Any) -> set[str]:
    """Return the tables that a plan reads from their beginning."""
    own = {plan["Relation Name"]} if plan["Node Type"] == "Seq Scan" else set()
    return own.union(*map(scanned, plan.get("Plans", ())))


def read_whole(client: Client, path: str, query: dict[str, str]) -> list[tuple[str, str]]:
    return [
        (table, sql) for sql, plan in plans(client, path, query) for table in scanned(plan) & LONG
    ]


LISTS = {
    "orders/order": [
        *({}, {"p": "last"}, {"o": "1"}, {"o": "-5"}),
        *({"status__exact": "placed"}, {"status__exact": "refunded"}, {"door__exact": "api"}),
        {"door__exact": "desk"},
        *({"jobs": "trouble"}, {"jobs": "open"}, {"payment": "none"}, {"payment": "part"}),
        *({"address": "troubled"}, {"placed_at_from": "2026-01-01", "placed_at_to": "2026-01-02"}),
        *({"q": "T{number}"}, {"q": "{number}"}, {"q": "{email}"}, {"q": "c77"}, {"q": "{id}"}),
        *({"q": "{phone}"}, {"q": "love77"}, {"q": "nobody"}),
        *({"payment": "full"}, {"product": "RARE"}, {"country": "FR"}, {"country": "pickup"}),
        *({"carrier": "dhl"}, {"carrier": "Nobody"}, {"country": "XX"}),
        {"total_from": "900", "placed_at_from": "2026-01-01", "placed_at_to": "2026-01-02"},
    ],
    "notifications/notification": [
        *({}, {"p": "last"}, {"status__exact": "failed"}, {"status__exact": "running"}),
        *({"status__exact": "done"}, {"channel__exact": "sms"}, {"delivery__exact": "bounced"}),
        *({"error": "550 no such mailbox"}, {"maybe_duplicate__exact": "1"}),
        *({"event": "daily_report"}, {"created_at__gte": "2026-01-01 00:00:00+00:00"}),
        *({"q": "T{number}"}, {"q": "{email}"}, {"q": "{id}"}, {"q": "mailbox no"}),
        *({"q": "{phone}"}, {"q": "nobody"}),
    ],
    "media_jobs/mediajob": [
        *({}, {"p": "last"}, {"status__exact": "failed"}, {"status__exact": "done"}),
        *({"recipe": "product"}, {"recipe": "pickup_pass"}, {"q": "T{number}"}, {"q": "{id}"}),
        *({"q": "order:{id}"}, {"q": "no font"}),
    ],
    "orders/stockmovement": [
        *({}, {"p": "last"}, {"kind__exact": "correction"}, {"kind__exact": "cancel"}),
        *({"q": "MUG"}, {"q": "T{number}"}, {"q": "note 4711"}),
        {"created_at_from": "2026-01-01", "created_at_to": "2026-01-02"},
    ],
}


@pytest.mark.parametrize("path", LISTS)
def test_no_page_filter_or_search_reads_a_long_table_whole(
    path: str, admin_client: Client, shop: Order
) -> None:
    words = {
        "number": str(shop.number),
        "email": shop.email,
        "phone": f"0{shop.phone[3:]}",
        "id": str(shop.pk),
    }
    found = {
        str(query): whole
        for query in LISTS[path]
        if (
            whole := read_whole(
                admin_client, path, {name: text.format(**words) for name, text in query.items()}
            )
        )
    }

    assert found == {}


@pytest.fixture
def of_an_account(shop: Order) -> Order:
    """The order belongs to an account, so its page looks for that account's other orders, too."""
    user = User.objects.create_user("ada")
    Order.objects.filter(pk=shop.pk).update(user=user)
    return shop


PAGES = {
    "change": "placed",
    "step/pay": "placed",
    "step/ship": "packed",
    "step/cancel": "placed",
    "step/refund": "paid",
    "step/again": "placed",
}
"""The pages of an order, with a status in which each is shown."""


@pytest.mark.parametrize("page", PAGES)
def test_no_page_of_an_order_reads_a_long_table_whole(
    page: str, admin_client: Client, of_an_account: Order
) -> None:
    Order.objects.filter(pk=of_an_account.pk).update(status=PAGES[page])

    assert walked(admin_client, f"orders/order/{of_an_account.pk}/{page}") == []


@pytest.mark.parametrize(
    ("index", "page"),
    [
        ("order_email", "change"),
        ("order_user", "change"),
        ("movement_once_per_order", "change"),
        ("event_shipped", "step/ship"),
    ],
)
def test_control_without_its_index_an_orders_page_reads_a_table_whole(
    index: str, page: str, admin_client: Client, of_an_account: Order
) -> None:
    Order.objects.filter(pk=of_an_account.pk).update(status=PAGES[page])
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {index}")

    assert walked(admin_client, f"orders/order/{of_an_account.pk}/{page}")


def walked(client: Client, path: str) -> list[str]:
    """Return the queries that read a long table in whole, or along the index of its key."""
    return [
        sql for sql, plan in plans(client, path, {}) if scanned(plan) & LONG or _is_walked(plan)
    ]


def _is_walked(plan: Any) -> bool:
    is_whole = plan["Node Type"].startswith("Index") and "Index Cond" not in plan
    own = is_whole and "Filter" in plan and plan.get("Relation Name") in LONG
    return bool(own or any(map(_is_walked, plan.get("Plans", ()))))


@pytest.mark.parametrize(
    ("indexes", "path", "query"),
    [
        ("order_newest", "orders/order", {}),
        ("order_email", "orders/order", {"q": "c77@example.org"}),
        ("order_phone", "orders/order", {"q": "015100000077"}),
        ("order_country, order_newest", "orders/order", {"country": "FR"}),
        ("event_carrier", "orders/order", {"carrier": "dhl"}),
        ("order_name_words, order_newest", "orders/order", {"q": "love77 ada"}),
        ("notification_newest", "notifications/notification", {"p": "last"}),
        ("notification_recipient", "notifications/notification", {"q": "c77@example.org"}),
        ("mediajob_newest", "media_jobs/mediajob", {}),
        ("movement_newest", "orders/stockmovement", {}),
    ],
)
def test_control_without_its_index_a_table_is_read_whole(
    indexes: str, path: str, query: dict[str, str], admin_client: Client, shop: Order
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {indexes}")

    assert read_whole(admin_client, path, query)
