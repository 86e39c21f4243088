"""Each test begins with carriers that nobody knows anything about."""

from collections.abc import Iterator

import pytest

from orders.quotes.asking import forget_breakers
from orders.quotes.threads import drain


@pytest.fixture(autouse=True)
def no_memory_of_carriers() -> Iterator[None]:
    forget_breakers()
    yield
    drain()
    forget_breakers()
