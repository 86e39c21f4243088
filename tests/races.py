"""Many clients at once, and locks that others hold."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.db import connection, connections
from django.db.models import Model

from orders.placing.errors import PlacementError
from orders.placing.placement import Placement, place_order
from orders.placing.request import OrderRequest
from orders.placing.writers import drain
from project.monitoring.audit import run_audit

Step = Callable[[], Any]
AtOnce = Callable[[Step, Step], list[Any]]
"""Takes two steps that start together: the fixture `at_once` of tests/faults."""


def at_once(requests: list[OrderRequest], *, clients: int = 24) -> list[Any]:
    """Place all requests in parallel; return each one's placement or error."""

    def place(request: OrderRequest) -> Placement | PlacementError:
        try:
            return place_order(request)
        except PlacementError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(place, requests))


def together(*steps: Callable[[], Any]) -> list[Any]:
    """Take the steps in parallel, from the same moment on; return each one's answer or refusal."""
    start = threading.Barrier(len(steps))

    def take(step: Callable[[], Any]) -> Any:
        start.wait(10)
        try:
            return step()
        except PlacementError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(steps)) as pool:
        return list(pool.map(take, steps))


@contextmanager
def locked(table: str, product_id: int) -> Iterator[None]:
    """Hold the product's row of this table in another transaction."""
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with connections["default"].cursor() as cursor:
            key = "id" if table == "orders_product" else "product_id"
            cursor.execute("BEGIN")
            cursor.execute(f"SELECT 1 FROM {table} WHERE {key} = %s FOR UPDATE", [product_id])
            held.set()
            release.wait(30)
            cursor.execute("ROLLBACK")
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(5)
    try:
        yield
    finally:
        release.set()
        thread.join()


@contextmanager
def without_constraint(model: type[Model], name: str) -> Iterator[None]:
    """Take a constraint out: it is the last guard, behind the one that a control takes out."""
    constraint = next(c for c in model._meta.constraints if c.name == name)
    with connection.schema_editor() as editor:
        editor.remove_constraint(model, constraint)
    try:
        yield
    finally:
        with connection.schema_editor() as editor:
            editor.add_constraint(model, constraint)


def all_is_right() -> bool:
    """Finish what the writers have to do, then audit everything, sales as well."""
    assert drain(timeout=20)
    with connection.cursor() as cursor:  # the audit leaves alone what is younger
        cursor.execute("UPDATE orders_order SET changed_at = now() - interval '2 min'")
        cursor.execute("UPDATE orders_salesentry SET changed_at = now() - interval '2 min'")
    return run_audit().is_clean
