"""Fixtures for tests that place orders, by accounts and guests."""

import itertools
from collections.abc import Iterator

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from orders.models import User
from orders.placing import placement
from orders.placing.writers import drain, start_writers
from orders.placing.writers import writers as running_writers
from tests.factories import add_product
from tests.orders.accounts.pages import ADA, PASSWORD
from tests.orders.shop.pages import Response, add


@pytest.fixture
def writers() -> Iterator[None]:
    """End the writer threads with the test, before its database is emptied."""
    yield
    assert drain(timeout=20)


@pytest.fixture
def ada(db: None) -> User:
    """A user who has confirmed her address, and signs in by code or password."""
    user = User.objects.create_user("ada", ADA, PASSWORD)
    EmailAddress.objects.create(user=user, email=ADA, verified=True, primary=True)
    return user


@pytest.fixture
def form(db: None, client: Client) -> Response:
    """The checkout of a cart with two mugs."""
    add_product("MUG", stock=10, price="9.90")
    add(client, "MUG", 2)
    return client.get("/checkout/")


@pytest.fixture
def two_processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every second order goes through other writers, as if by another web process."""
    ours = running_writers()
    others = start_writers(name="other-")
    turns = itertools.cycle((ours, others))
    monkeypatch.setattr(placement, "writers", lambda: next(turns))
    yield
    assert others.stock.drain(timeout=20)
    assert others.sales.drain(timeout=20)
