"""Everything here runs on real transactions, with writer threads of its own."""

from collections.abc import Iterator

import pytest

from orders.placing.writers import drain


@pytest.fixture(autouse=True)
def writers_end_with_the_test(transactional_db: None) -> Iterator[None]:
    yield
    assert drain(timeout=20)
