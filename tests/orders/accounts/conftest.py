"""A shopper at the doors of the account, and what was queued to be said to them."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from notifications.models import Notification
from orders.models import User

ADA = "ada@example.org"
PASSWORD = "correct horse battery"

Response = Any


@pytest.fixture(autouse=True)
def fast_passwords(settings: Any) -> None:
    """What a password costs is Django's affair; here it would be most of the tests' time."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


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


def said(event: str, *, to: str = ADA) -> list[Notification]:
    """The messages of an event to one recipient, oldest first."""
    messages: Any = Notification.objects.filter(event=event, recipient=to)
    return list(messages.order_by("created_at"))


def last_code(event: str, *, to: str = ADA) -> str:
    secrets = said(event, to=to)[-1].secrets
    assert secrets
    return secrets["code"]


def sign_up(client: Client, email: str = ADA) -> Response:
    return client.post("/accounts/signup/", {"email": email})


def confirm(client: Client, code: str) -> Response:
    return client.post("/accounts/confirm-email/", {"code": code})


def ask_for_code(client: Client, email: str = ADA) -> Response:
    return client.post("/accounts/login/code/", {"email": email})


def is_signed_in(client: Client) -> bool:
    return client.get("/accounts/").status_code == 200


def shape_of(response: Response) -> tuple[int, str, str]:
    """What a stranger can tell an answer by: without tokens, which differ anyway."""
    page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())
    return response.status_code, response.headers.get("Location", ""), page
