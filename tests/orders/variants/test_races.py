"""Two operators add the same variant at the same moment."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection

from orders.catalogue import variants
from orders.catalogue.variants import VariantError, create_variant
from orders.models import Product
from tests.factories import add_shirt
from tests.races import without_constraint

pytestmark = pytest.mark.django_db(transaction=True)


def create_both(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Create a variant twice at once, under two SKUs; return what came of each.

    Both wait for each other between the look and the write, as far as the lock lets them.
    """
    parent = add_shirt()
    looked = threading.Barrier(2)
    check = variants.check_variant

    def check_and_wait(product: Product, options: Sequence[str], **more: int) -> None:
        check(product, options, **more)
        with suppress(threading.BrokenBarrierError):
            looked.wait(1)

    def create(sku: str) -> str:
        try:
            create_variant(parent_id=parent.pk, options=["M", "red"], sku=sku, price=Decimal(1))
            return "created"
        except (VariantError, IntegrityError) as error:
            return type(error).__name__
        finally:
            connection.close()

    monkeypatch.setattr(variants, "check_variant", check_and_wait)
    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(create, ("A", "B")))


def unlock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variants, "_locked", lambda pk: Product.objects.get(pk=pk))


def test_one_is_created_and_the_other_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert create_both(monkeypatch) == ["VariantError", "created"]


def test_without_the_lock_the_database_still_refuses_the_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unlock(monkeypatch)

    assert create_both(monkeypatch) == ["IntegrityError", "created"]


def test_control_without_both_there_are_two(monkeypatch: pytest.MonkeyPatch) -> None:
    unlock(monkeypatch)
    with without_constraint(Product, "variant_differs_by_its_options"):
        assert create_both(monkeypatch) == ["created", "created"]
        Product.objects.filter(variant_of__isnull=False).delete()
