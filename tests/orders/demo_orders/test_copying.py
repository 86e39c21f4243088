"""Rows reach their tables as they are, and in threads as in one."""

import pytest
from django.db import connection

from orders.demo.orders import fill, fill_orders, remove_orders, workers
from orders.demo.orders.copying import NULL, Copied, ready, uuid7
from orders.models import Product
from tests.factories import add_product
from tests.orders.demo_orders.outcome import told, violations

ODD = 'back\\slash \\N \\t, tab\t, lines\n and\r\n, "quotes", %s %(x)s, 颜色 €'


@pytest.mark.django_db
def test_a_text_arrives_as_it_is() -> None:
    tea = add_product("TEA")
    row = {
        "sku": "CUP",
        "slug": "cup",
        "name": "Cup",
        "category_id": tea.category_id,
        "price": tea.price,
        "weight": NULL,
        "is_active": True,
        "description": ready(ODD),
    }

    with connection.cursor() as cursor:
        Copied(Product, tuple(row)).write_ready(cursor, [tuple(row.values())])

    cup = Product.objects.get(sku="CUP")
    assert (cup.description, cup.weight, cup.price) == (ODD, None, tea.price)


def test_ids_are_of_version_7_and_of_their_time() -> None:
    first, last = uuid7(0x0199_0000_0000, 0), uuid7(0x0199_0000_0000, (1 << 74) - 1)

    assert first == "01990000-0000-7000-8000-000000000000"
    assert last == "01990000-0000-7fff-bfff-ffffffffffff"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True, databases=["default", "writer"])
def test_threads_write_the_same_rows(monkeypatch) -> None:
    monkeypatch.setattr(fill, "BATCH_SIZE", 20)
    fill_orders(orders=200)
    rows = told()
    remove_orders()
    monkeypatch.setattr(workers, "AT_LEAST", 0)

    fill_orders(orders=200)

    assert told() == rows
    assert violations() == []
