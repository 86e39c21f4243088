"""Where the ORM's queries go."""

import pytest
from django.contrib.sessions.models import Session

from orders.models import Order, User
from project.replica.router import ReplicaRouter, reading

ROUTER = ReplicaRouter()


def row_of(alias: str) -> Order:
    order = Order()
    order._state.db = alias
    return order


def test_only_a_block_reads_from_the_replica() -> None:
    assert ROUTER.db_for_read(Order) is None
    with reading("replica"):
        assert ROUTER.db_for_read(Order) == "replica"
    assert ROUTER.db_for_read(Order) is None


def test_nothing_is_written_there() -> None:
    with reading("replica"):
        assert ROUTER.db_for_write(Order) is None
        assert ROUTER.db_for_write(Order, instance=row_of("replica")) == "default"


def test_outside_of_the_block_its_rows_read_from_the_primary() -> None:
    assert ROUTER.db_for_read(Order, instance=row_of("replica")) == "default"


@pytest.mark.parametrize("model", [User, Session])
def test_who_somebody_is_comes_from_the_primary(model: type) -> None:
    with reading("replica"):
        assert ROUTER.db_for_read(model) is None
        assert ROUTER.db_for_read(model, instance=row_of("replica")) == "default"


def test_its_rows_may_be_named_by_those_of_the_primary() -> None:
    assert ROUTER.allow_relation(row_of("replica"), row_of("default"))
    assert ROUTER.allow_relation(row_of("writer"), row_of("default")) is None


def test_it_is_not_migrated() -> None:
    assert ROUTER.allow_migrate("replica", "orders") is False
    assert ROUTER.allow_migrate("default", "orders") is None
