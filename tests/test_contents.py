"""tests/contents.py: what a test on real transactions leaves to the next."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection

from orders.models import Product
from tests.contents import FirstContents
from tests.factories import add_product, make_order

pytestmark = pytest.mark.django_db(transaction=True)


def rows() -> dict[str, list[Any]]:
    """Return the rows of every table."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t ORDER BY 1')
            found[table] = cursor.fetchall()
    return found


def test_whatever_a_test_does_to_the_rows_its_next_finds_the_first() -> None:
    first, before = FirstContents(connection), rows()
    assert before["orders_order"] == []
    assert before["auth_permission"] != []

    make_order(add_product("MUG"))  # new rows that refer to each other
    Group.objects.create(name="New")
    Group.objects.filter(name="Viewer").update(name="Changed")
    Permission.objects.all().delete()  # those that refer to them too
    assert rows() != before
    first.restore()

    assert rows() == before


@pytest.mark.parametrize("turn", [1, 2])
def test_the_next_test_finds_a_new_shop(turn: int) -> None:
    assert not Product.objects.exists()
    assert Permission.objects.exists()

    add_product("MUG")
    Permission.objects.all().delete()
