"""A list's headers are computed once for a page, and the page is the same as without that."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.views.main import ChangeList
from django.test import Client
from unfold.templatetags import unfold_list

from orders.models import Product
from project.desk.list_headers import keep_headers
from tests.factories import add_product

pytestmark = pytest.mark.django_db

LIST = "/admin/orders/product/"


@pytest.fixture
def rows() -> list[Product]:
    return [add_product(f"SKU-{number}") for number in range(5)]


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[ChangeList]:
    """The lists whose headers unfold's own function computes, each as often as it does."""
    found: list[ChangeList] = []
    compute = unfold_list.result_headers.__wrapped__

    def noted(cl: ChangeList) -> Iterator[dict[str, Any]]:
        found.append(cl)
        return compute(cl)

    monkeypatch.setattr(unfold_list, "result_headers", noted)
    return found


def body(client: Client) -> str:
    text = client.get(LIST).content.decode()
    return re.sub(r'(nonce|value)="[^"]+"', "", text)


def test_a_lists_headers_are_computed_once(
    admin_client: Client, rows: list[Product], computed: list[ChangeList]
) -> None:
    without = body(admin_client)
    many = len(computed)
    computed.clear()
    keep_headers()

    kept = body(admin_client)

    assert len(computed) == 1
    assert many > len(rows), "unfold keeps them by itself now: list_headers.py can go"
    assert kept == without
    assert kept.count("data-row") == len(rows)
