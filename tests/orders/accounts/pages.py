"""A shopper on the account's pages, and the messages that are queued for them."""

import re
from typing import Any

from django.test import Client

from notifications.models import Notification

ADA = "ada@example.org"
PASSWORD = "correct horse battery"

Response = Any


def said(event: str, *, to: str = ADA) -> list[Notification]:
    """The messages of an event to one recipient, oldest first."""
    messages: Any = Notification.objects.filter(event=event, recipient=to)
    return list(messages.order_by("created_at"))


def last_code(event: str, *, to: str = ADA) -> str:
    secrets = said(event, to=to)[-1].secrets
    assert secrets
    return secrets["code"]


def ask_for_code(client: Client, email: str = ADA) -> Response:
    """Come to the door: the code of a new address makes its account."""
    return client.post("/accounts/login/code/", {"email": email})


def confirm(client: Client, code: str) -> Response:
    return client.post("/accounts/login/code/confirm/", {"code": code})


def is_signed_in(client: Client) -> bool:
    return client.get("/accounts/").status_code == 200


def shape_of(response: Response) -> tuple[int, str, str]:
    """The parts of an answer that a stranger can compare: without tokens, which always differ."""
    page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())
    return response.status_code, response.headers.get("Location", ""), page
