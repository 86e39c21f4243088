"""A small fill, and its settings."""

import pytest

from orders.demo.orders import FilledOrders, fill_orders


@pytest.fixture(autouse=True)
def local_media(settings, tmp_path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    settings.SMS_URL = "http://sms.example/send"


@pytest.fixture
def filled(transactional_db) -> FilledOrders:
    """Six hundred orders with all that belongs to them."""
    return fill_orders(orders=600, seed=7)
