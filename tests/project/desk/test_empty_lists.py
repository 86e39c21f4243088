"""An empty list says what that means, and offers only what its reader may do."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_a_list_that_only_the_shop_fills_offers_no_new_entry(admin_client: Client) -> None:
    page = admin_client.get("/admin/orders/stockmovement/").content.decode()

    assert "Nothing is here yet." in page
    assert "Create a new item" not in page
    assert "/admin/orders/stockmovement/add/" not in page


def test_a_list_without_entries_offers_the_first_one(admin_client: Client) -> None:
    page = admin_client.get("/admin/orders/product/").content.decode()

    assert "Nothing is here yet." in page
    assert "Reset filters" not in page
    assert page.count('href="/admin/orders/product/add/') >= 1


def test_a_search_without_a_find_leads_back_to_all(admin_client: Client) -> None:
    page = admin_client.get("/admin/orders/product/?q=nothing-like-this").content.decode()

    assert "Nothing fits the search and the filters." in page
    assert "Reset filters" in page
