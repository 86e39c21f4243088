"""Array literals are what PostgreSQL reads them as."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from project.database.arrays import array_literal

ID = UUID("0b5c7a52-6f1e-4c39-9d0a-0e5a6c1d2f3b")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("bigint", [1, -2, 2**40]),
        ("numeric", [Decimal("1.50"), Decimal("-0.01")]),
        ("uuid", [ID]),
        ("bigint", []),
    ],
)
def test_a_literal_is_read_back_as_the_same_values(kind: str, values: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{kind}[]", [array_literal(values)])

        assert cursor.fetchone()[0] == values
