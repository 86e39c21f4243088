"""`bench partitions`, with few messages: what a cut table can't refuse, and that a week goes."""

import pytest
from django.core.management.base import CommandError
from django.db import connection

from notifications.benchmarks.partitions import bench_partitions, measure


@pytest.mark.django_db(transaction=True)
def test_only_the_whole_table_refuses_a_message_twice() -> None:
    before = connection.introspection.table_names()

    rows = {row.pop("what"): row for row in measure(1300).rows}

    assert rows["the same message twice"] == {
        "plain": "refused",
        "by time": "accepted",
        "by key": "accepted",
    }
    assert all(value > 0 for value in rows["… longest lock, ms"].values())
    assert connection.introspection.table_names() == before


def test_it_takes_one_size() -> None:
    with pytest.raises(CommandError, match="one size"):
        bench_partitions((10, 20))
