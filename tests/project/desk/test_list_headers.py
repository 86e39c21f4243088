"""A list's headers are computed once for a page, and the page is the same as without that."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.views.main import ChangeList
from django.test import Client
from unfold.templatetags import unfold_list

from orders.models import Product, StockMovement
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


def test_a_first_cell_that_is_no_box_has_its_columns_label(admin_client: Client) -> None:
    product = add_product("MUG")
    StockMovement.objects.create(product=product, kind="correction", quantity=1, reason="x")

    page = admin_client.get("/admin/orders/stockmovement/").content.decode()
    with_boxes = admin_client.get(LIST).content.decode()

    assert 'data-label="Select record"' not in page
    assert 'data-label="when"' in page.lower()
    assert with_boxes.count('data-label="Select record"') == 1


@pytest.mark.parametrize("path", ["orders/product", "orders/order", "project/sweep"])
def test_a_whole_list_offers_no_way_to_all_of_it(path: str, admin_client: Client) -> None:
    add_product("MUG")

    page = admin_client.get(f"/admin/{path}/").content.decode()

    assert "Show all" not in page


def test_a_filtered_list_tells_how_many_fit_and_leads_to_all(admin_client: Client) -> None:
    add_product("MUG"), add_product("TEA")

    page = admin_client.get(f"{LIST}?q=MUG").content.decode()

    assert "1 result" in page
    assert "Show all" in page
