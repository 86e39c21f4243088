"""Fixtures for every test."""

from collections.abc import Iterator

import pytest

from tests.live import LiveShop


@pytest.fixture(scope="session")
def live_shop() -> Iterator[LiveShop]:
    """A whole running shop, the same for all tests marked `xdist_group("live")`."""
    with LiveShop() as shop:
        yield shop
