"""The people of the races: each with a browser, as far as a server can tell."""

import json
import secrets
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.test import Client

from orders.models import User
from tests.pages import read_page

_numbers = count(1)


@dataclass(frozen=True)
class Answer:
    """What a person got."""

    path: str
    status: int
    text: str
    leads_to: str
    """The path of its redirect; empty without one."""

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def summary(self) -> str:
        return f"{self.status} of {self.path}: {self.leads_to} {self.text[:300]}"


class Browser:
    """Cookies, a token for forms and a network address of its own; each request a new connection.

    Two tabs of one browser are one `Browser` that two threads use.
    """

    def __init__(self, url: str) -> None:
        # Limits count a /64 as one address.
        high, low = divmod(next(_numbers), 2**16)
        address = f"2001:db8:{high:x}:{low:x}::1"
        self._client = httpx.Client(
            base_url=url,
            headers={"X-Forwarded-For": address},
            limits=httpx.Limits(max_keepalive_connections=0),
            timeout=60,
            trust_env=False,
            verify=False,  # there is no TLS, and its certificates would take long to read
        )
        self._host = urlsplit(url).hostname or ""
        self._keep(settings.CSRF_COOKIE_NAME, secrets.token_hex(16))

    def get(self, path: str) -> Answer:
        return _read(self._client.get(path))

    def post(self, path: str, **fields: Any) -> Answer:
        """Send a form with the browser's token, as the pages' forms have it."""
        token = self._client.cookies[settings.CSRF_COOKIE_NAME]
        return _read(self._client.post(path, data={"csrfmiddlewaretoken": token} | fields))

    def open_form(self, path: str) -> dict[str, list[str]]:
        """Open the page, and return what its forms would send."""
        page = self.get(path)
        assert page.status == 200, page.summary
        return read_page(Client(), path, page.text).values

    def send_json(self, path: str, body: bytes, **headers: str) -> Answer:
        headers["Content-Type"] = "application/json"
        return _read(self._client.post(path, content=body, headers=headers))

    def sign_in(self, user: User) -> "Browser":
        """Have the browser be signed in already."""
        client = Client()
        client.force_login(user)
        self._keep(settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value)
        return self

    def _keep(self, name: str, value: str) -> None:
        self._client.cookies.set(name, value, domain=self._host)


def _read(response: httpx.Response) -> Answer:
    return Answer(
        path=response.request.url.path,
        status=response.status_code,
        text=response.text,
        leads_to=urlsplit(response.headers.get("Location", "")).path,
    )


class Shopper(Browser):
    """Somebody at the shop's pages."""

    SAID = {
        "name": "Ada Lovelace",
        "email": "ada@example.org",
        "handover": "pickup",
        "payment": "pickup",
    }

    def add(self, sku: str, quantity: int = 1) -> Answer:
        return self.post("/cart/", action="add", sku=sku, quantity=quantity)

    def order(self, form: dict[str, list[str]]) -> Answer:
        """Send the checkout's form as it was opened, with what the shopper types."""
        return self.post("/checkout/", **(form | self.SAID))


def clerk_at(url: str) -> Browser:
    """Return the browser of an operator who may do everything."""
    operator, _is_new = User.objects.get_or_create(
        username="clerk", defaults={"is_staff": True, "is_superuser": True}
    )
    return Browser(url).sign_in(operator)


def step_of(clerk: Browser, order_id: Any, name: str, **fields: Any) -> Any:
    """Open the form of an order's step; return what sends it, with these fields filled in."""
    path = f"/admin/orders/order/{order_id}/step/{name}/"
    return partial(clerk.post, path, **(clerk.open_form(path) | fields))
