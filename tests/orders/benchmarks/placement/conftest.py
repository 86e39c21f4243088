"""The benchmark's own shop, on real transactions."""

from collections.abc import Iterator

import pytest

from orders.benchmarks.placement.shop import create_products
from orders.placing.writers import drain


@pytest.fixture
def bench_shop(transactional_db: None) -> Iterator[None]:
    create_products()
    yield
    assert drain(timeout=20)
