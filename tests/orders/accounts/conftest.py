"""Fixtures for tests of the accounts' pages, whose ways are in `pages`."""

import pytest
from django.test import Client

from orders.models import User


@pytest.fixture
def signed_in(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client
