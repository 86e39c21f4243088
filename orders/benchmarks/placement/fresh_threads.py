"""Two fresh threads an order: the first idea that "stock and sales in two threads" suggests.

It is what `bench placement` measures Tandem's two long-lived writers against.
"""

from collections.abc import Callable, Sequence
from threading import Thread
from uuid import UUID

from django.db import connection, transaction

from orders.benchmarks.placement.textbook import (
    count_sales,
    id_of,
    lines_of,
    take_stock,
    write_entries,
    write_order,
)
from orders.models import OrderLine
from orders.placing.request import OrderRequest


def place_in_fresh_threads(request: OrderRequest) -> None:
    """Start a thread for stock and order and one for sales, each with a transaction of its own.

    Nothing corrects the sales of an order that the other thread couldn't write.
    """
    key = id_of(request)
    lines = lines_of(request, key)
    connection.close()  # the two need connections of the same pool
    failures: list[BaseException] = []
    threads = [
        Thread(target=_commit, args=(part, request, key, lines, failures))
        for part in (_stock_and_order, _sales)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


Part = Callable[[OrderRequest, UUID, Sequence[OrderLine]], None]


def _commit(
    part: Part,
    request: OrderRequest,
    key: UUID,
    lines: Sequence[OrderLine],
    failures: list[BaseException],
) -> None:
    try:
        with transaction.atomic():
            part(request, key, lines)
    except BaseException as error:
        failures.append(error)
    finally:
        connection.close()  # back to the pool


def _stock_and_order(request: OrderRequest, key: UUID, lines: Sequence[OrderLine]) -> None:
    take_stock(lines)
    write_order(request, key, lines)


def _sales(_request: OrderRequest, _key: UUID, lines: Sequence[OrderLine]) -> None:
    count_sales(lines)
    write_entries(lines)
