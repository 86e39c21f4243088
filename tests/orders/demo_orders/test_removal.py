"""Removal takes away what a fill made, whole or half, and nothing else."""

from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.files.storage import default_storage

from media_jobs.rendition_files import leaves
from orders.demo.orders import fill, fill_orders, removal, remove_orders
from orders.lifecycle.notes import add_note
from orders.models import DemoFill, Order, Product, Return, SalesQuarter
from orders.placing.placement import place_order
from project.monitoring.audit import run_audit
from tests.factories import add_product, order_request

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]

WRITTEN_BY_AUDITS = {"project.AuditRun", "project.DailyRun", "project.Sweep"}
COUNTED_FROM_ORDERS = {"orders.SalesQuarter"}


def counts() -> dict[str, int]:
    """Return how many rows each table has that has any."""
    found = {model._meta.label: model._default_manager.count() for model in apps.get_models()}
    others = WRITTEN_BY_AUDITS | COUNTED_FROM_ORDERS
    return {name: count for name, count in found.items() if count and name not in others}


def violations() -> list[Any]:
    return [finding for finding in run_audit().findings if finding["violations"]]


class Interrupted(Exception):
    pass


def test_the_shop_is_as_before() -> None:
    add_product("TEA")
    real = place_order(order_request(("TEA", 2))).order
    before = counts()
    fill_orders(orders=300)
    assert counts() != before
    noted = Order.objects.exclude(pk=real.pk)[0]
    add_note(order_id=noted.pk, note_id=uuid4(), text="She calls back", user=None)
    asked = Return.objects.create(id=uuid4(), order=noted)
    asked.lines.create(line=noted.lines.all()[0], quantity=1)

    assert remove_orders() == 300

    assert counts() == before
    assert sum(SalesQuarter.objects.values_list("orders", flat=True)) == 1
    assert Order.objects.get() == real
    assert violations() == []
    assert list(leaves("renditions")) == []
    assert remove_orders() is None


def test_a_half_fill_is_taken_away(monkeypatch) -> None:
    before = counts()
    monkeypatch.setattr(fill, "BATCH_SIZE", 50)

    def interrupt(line: str) -> None:
        if line.startswith("100 of"):
            raise Interrupted

    with pytest.raises(Interrupted):
        fill_orders(orders=300, say=interrupt)
    assert Order.objects.count() == 100
    assert violations() == []

    assert remove_orders() == 100

    assert counts() == before


def test_an_interrupted_removal_goes_on(monkeypatch) -> None:
    before = counts()
    fill_orders(orders=300)
    monkeypatch.setattr(removal, "BATCH_SIZE", 100)

    def interrupt(_line: str) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        remove_orders(say=interrupt)
    assert Order.objects.count() == 200
    assert violations() == []

    assert remove_orders() == 200

    assert counts() == before


def test_a_product_that_was_really_ordered_stays_with_its_order() -> None:
    fill_orders(orders=100)
    product = Product.objects.filter(is_active=True, stock__available__gt=0)[0]
    real = place_order(order_request((product.sku, 1))).order

    remove_orders()

    assert Order.objects.get() == real
    assert Product.objects.get() == product
    assert violations() == []
    assert not DemoFill.objects.exists()


def test_orders_by_a_key_before_a_rotation_are_found(settings) -> None:
    fill_orders(orders=20)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key, of some length, for these tests"

    assert remove_orders() == 20

    assert not Order.objects.exists()
    assert not default_storage.exists("renditions") or list(leaves("renditions")) == []
