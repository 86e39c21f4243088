"""A shop for agents: a local run's, with its writers."""

from collections.abc import Iterator
from typing import Any

import pytest

from orders.placing.writers import drain
from tests.agents.agent import Agent


@pytest.fixture
def writers() -> Iterator[None]:
    """End the writer threads with the test, before its database is emptied."""
    yield
    assert drain(timeout=20)


@pytest.fixture
def local(settings: Any) -> None:
    settings.TANDEM_LOCAL = True


@pytest.fixture
def agent(db: None, local: None) -> Agent:
    return Agent()
