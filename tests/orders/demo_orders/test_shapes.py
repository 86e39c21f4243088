"""Filled rows have the shapes of those that the shop's own services and workers write."""

from typing import Any

import pytest
from django_celery_results.models import TaskResult

from media_jobs.models import MediaJob, Rendition
from notifications.models import Notification
from orders.demo.orders import fill_orders, lives
from orders.demo.orders.rows import media_jobs, messages, stock
from orders.models import (
    Order,
    OrderEvent,
    OrderLine,
    Payment,
    Refund,
    RefundLine,
    SalesEntry,
    StockMovement,
)
from tests.factories import add_product
from tests.orders.demo_orders.real_life import end_jobs, live_all_lives
from tests.orders.demo_orders.shapes import Kind, Shape

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("fixed_day", "writers"),
]

RECEIPT = ("delivery", "delivery_at", "delivery_reason")
KINDS = {
    "order": Kind(Order, leave={"phone", "address", "user_id"}),
    "line": Kind(OrderLine),
    "event": Kind(OrderEvent, by=("kind",)),
    "payment": Kind(Payment),
    "refund": Kind(Refund, by=("status",), leave={"reason", "user_id"}),
    "refund line": Kind(RefundLine),
    "movement": Kind(StockMovement, by=("kind",), leave={"reason", "key"}),
    "sales entry": Kind(SalesEntry),
    "message": Kind(
        Notification,
        by=("channel", "status"),
        leave={"order_id", "context", "occasion", *RECEIPT},
    ),
    "context of a message": Kind(
        Notification, by=("event",), only={"order_id", "context", "occasion"}
    ),
    "receipt": Kind(Notification, by=("delivery",), only=RECEIPT),
    "media job": Kind(MediaJob, by=("kind", "status")),
    "rendition": Kind(Rendition),
    "task result": Kind(TaskResult, by=("task_name", "status")),
}
Rows = dict[str, set[Any]]
"""The keys of rows, by their kinds."""


def keys() -> Rows:
    return {
        name: set(kind.model._default_manager.values_list("pk", flat=True))
        for name, kind in KINDS.items()
    }


def read(*, without: Rows | None = None) -> dict[tuple[Any, ...], set[Shape]]:
    """Return the shapes of all rows by their kinds, without some rows."""
    found: dict[tuple[Any, ...], set[Shape]] = {}
    for name, kind in KINDS.items():
        rows = kind.model._default_manager.exclude(pk__in=(without or {}).get(name, ()))
        found |= {(name, *key): some for key, some in kind.shapes(rows).items()}
    return found


def differences(
    real: dict[tuple[Any, ...], set[Shape]], filled: dict[tuple[Any, ...], set[Shape]]
) -> list[str]:
    """Return in words which kinds one of them lacks, and which shapes of columns differ."""
    said = [f"only real: {kind}" for kind in real.keys() - filled.keys()]
    said += [f"only filled: {kind}" for kind in filled.keys() - real.keys()]
    for kind in real.keys() & filled.keys():
        for columns in zip(*(sorted(some, key=str)[0] for some in (real[kind],)), strict=True):
            name = columns[0][0]
            ours = {shape for one in real[kind] for shape in one if shape[0] == name}
            theirs = {shape for one in filled[kind] for shape in one if shape[0] == name}
            if ours != theirs:
                said.append(f"{kind}: real {ours - theirs}, filled {theirs - ours}")
    return sorted(said)


def test_every_kind_of_row_is_shaped_like_a_real_one(monkeypatch, settings) -> None:
    settings.KEEP_MESSAGE_HTML_DAYS = 10_000  # real ones lose theirs by pruning
    settings.STAFF_EMAILS = ["office@shop.example"]
    add_product("TEA")
    add_product("MUG", price="9.90")
    # Every end of a job, and of an order, in few rows.
    monkeypatch.setattr(messages, "SHARES", [1] * len(messages.ENDS))
    monkeypatch.setattr(messages, "COMPLAINED", 0.05)
    monkeypatch.setattr(media_jobs, "FAILED", 0.2)
    monkeypatch.setattr(lives, "CORRECTED", 0.5)
    fill_orders(orders=1000, seed=7)
    filled, known = read(), keys()

    live_all_lives()
    end_jobs(monkeypatch)

    assert differences(read(without=known), filled) == []


def test_control_another_shape_is_found(monkeypatch) -> None:
    add_product("TEA")
    add_product("MUG", price="9.90")
    movements = stock._movements

    def without_time(life: Any) -> Any:
        return ((*row[:5], row[5] or "-", *row[6:]) for row in movements(life))

    monkeypatch.setattr(stock, "_movements", without_time)
    fill_orders(orders=100, seed=7)
    filled, known = read(), keys()

    live_all_lives()

    assert differences(read(without=known), filled)
