"""A user with an account; the ways through its pages are in `pages`."""

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from orders.models import User
from tests.orders.accounts.pages import ADA, PASSWORD


@pytest.fixture
def ada(db: None) -> User:
    """A user who has confirmed her address, and signs in by code or password."""
    user = User.objects.create_user("ada", ADA, PASSWORD)
    EmailAddress.objects.create(user=user, email=ADA, verified=True, primary=True)
    return user


@pytest.fixture
def signed_in(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client
