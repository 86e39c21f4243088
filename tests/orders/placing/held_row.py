"""A stock row that somebody else holds."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from orders.models import Product
from tests.database import this_database

HOLD = 1.5
"""Seconds that somebody holds the product's row."""


@contextmanager
def held(product: Product, *, application: str = "psql") -> Iterator[psycopg.Connection[Any]]:
    """Hold the product's stock row in a session of somebody else's."""
    with psycopg.connect(this_database(), application_name=application) as session:
        session.execute("SELECT 1 FROM orders_stock WHERE product_id = %s FOR UPDATE", [product.pk])
        yield session
        session.rollback()
