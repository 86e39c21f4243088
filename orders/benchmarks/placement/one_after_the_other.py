"""Tandem's own writers without their parallelism: the sales writer gets an order after its stock.

`bench placement` measures with it what the second thread brings.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

from orders.placing import placement
from orders.placing.stock_writer import Item
from orders.placing.writers import Writers, writers
from project.group_commit import GroupCommitter, Submission


class Waiting:
    """A committer whose `submit` returns once the item has its answer."""

    def __init__(self, committer: GroupCommitter[Item, Any]) -> None:
        self._committer = committer

    def submit(self, item: Item, *, deadline: float) -> Submission[Item, Any]:
        submission = self._committer.submit(item, deadline=deadline)
        with suppress(Exception):  # place_order asks again, and answers it
            submission.result(grace=placement.GRACE)
        return submission


@contextmanager
def one_after_the_other() -> Iterator[None]:
    """Let this process's orders wait for their stock before their sales are submitted."""

    def waiting_writers() -> Writers:
        pair = writers()
        waiting = cast("GroupCommitter[Item, Any]", Waiting(pair.stock))
        return Writers(stock=waiting, sales=pair.sales)

    name = "writers"  # what `submit` calls
    setattr(placement, name, waiting_writers)
    try:
        yield
    finally:
        setattr(placement, name, writers)
