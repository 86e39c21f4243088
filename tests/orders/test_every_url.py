"""Every URL of the shop with wrong methods, ids, tokens and bodies: refused, and nothing leaks.

By a stranger, another shopper, an operator, a manager, and an API client that may not read persons:
a role at the desk opens nothing here.
Each answer has the strict policy of contents.
The URLs are those of the resolver, so a new one is walked by itself; those of the admin are walked
with every role, a shopper and nobody (`desk/test_roles.py`). A new kind of id in an address must be
added to `wrong_values`.

The ids of orders and uploads, and the tokens of links, are the right to see what they name
(docs/accounts.md), so nobody is given those of others here. All else of theirs is tried.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from orders.clients.scopes import CUSTOMERS_READ, SCOPES
from orders.models import Address, Cart, CheckoutDraft, Order, User
from project.desk.policy import POLICY as POLICY_OF_THE_DESK
from project.limits.rates import UNLIMITED
from tests.clients import key_of
from tests.factories import add_product, make_order

pytestmark = pytest.mark.django_db

SECRET = "Persephone"
"""It is in everything that the other shopper has: nobody else may read it."""
MALFORMED = ["-1", "0", "9" * 40, "\x00", "../../etc/passwd", "x" * 300, "🐙", "{}", "%"]
PART = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")
METHODS = ("HEAD", "PATCH", "DELETE", "PROPFIND")
"""PUT is left out: to a form view of Django it is another POST."""
BODIES = [
    ("application/x-www-form-urlencoded", b""),
    ("application/x-www-form-urlencoded", b"action=%00&code=%FF&line=x&key=%00&sku=%00&email=%00"),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name"),
    ("application/json", b'[{"lines": [null], "sku": "\\ud800"}'),
    ("text/plain; charset=nonsense", b"\xff\xfe\x00"),
]
NONSENSE = "page=-1&cursor=%00&p=x&q=%00%FF&category=%00&seen=x&mail=x&lang=x&sort=x&next=//evil"
STAFF = ("Clerk", "Manager")
"""An operator of the desk, and who may do most there (docs/roles.md)."""
KEY = "a key without persons"
"""An API client that may do everything but read persons."""
HEALTH = ("healthz", "readyz", "metrics")
CODE = ("script-src", "style-src", "object-src")
BOUND = {"base-uri", "form-action", "frame-ancestors"}
"""The parts of a policy that `default-src` doesn't stand for."""
LOOSE = re.compile(r"unsafe|\*|(^|\s)(https?|data|blob):")
"""What lets in code that anybody may have written."""
REPEATABLE = "waiting-stop"
"""What is already gone is answered as what was just ended: a mail program mustn't see a failure."""


@pytest.fixture
def theirs(db: None) -> dict[str, Any]:
    """Return what another shopper has, by the name of its part in an address or a query."""
    other = User.objects.create_user("other", "persephone@example.org", name=SECRET)
    EmailAddress.objects.create(user=other, email=other.email, verified=True, primary=True)
    order = make_order(add_product("MUG"), user=other)
    Order.objects.filter(pk=order.pk).update(name=SECRET, email=other.email)
    address = Address.objects.create(
        user=other, is_default=True, line1=SECRET, city=SECRET, postcode="24103", country="DE"
    )
    draft = CheckoutDraft.objects.create(fields={"name": [SECRET]}, answer={"kind": "invalid"})
    cart = Cart.objects.create(user=other)
    cart.lines.create(sku="MUG", quantity=7, seen_name=SECRET)
    return {
        "address_id": address.pk,
        "order_id": order.number,
        "cart_id": cart.pk,
        "draft": draft.pk,
    }


def walked(
    resolver: URLResolver | None = None, prefix: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    """Yield the route and the pattern of each URL outside the admin."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern).removeprefix("^").removesuffix("$")
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                yield from walked(pattern, route)
        elif not route.startswith("admin/"):
            yield route, pattern


def wrong_values(name: str, theirs: dict[str, Any]) -> list[str]:
    """Return the values that nobody may use for this part of an address."""
    missing = {
        "slug": "no-such-product",
        "sku": "NO-SUCH-SKU",
        "order": str(uuid4()),
        "customer_id": "999999999",
        "order_id": str(uuid4()),
        "attempt_id": str(uuid4()),
        "token": str(uuid4()),
        "entry_id": str(uuid4()),
        "hold_id": str(uuid4()),
        "return_id": str(uuid4()),
        "address_id": "999999999",
        "provider": "nobody",
        "section": "nothing",
        "message_id": "0" * 32,
        "payment_id": "bank_" + "0" * 32,
        "cart_id": str(uuid4()),
        "target": str(uuid4()),
        "checkout_id": str(uuid4()),
        "path": "private/uploads/x.png",
    }[name]
    foreign = [str(theirs[name])] if name in theirs else [str(theirs["draft"])]
    return [missing, *foreign, *MALFORMED]


def paths_of(route: str, theirs: dict[str, Any]) -> list[str]:
    """Return the addresses of a route: one, or one for each wrong value of its parts."""
    names = [name or group for name, group in PART.findall(route)]
    if not names:
        return ["/" + route]
    paths = []
    for values in zip(*(wrong_values(name, theirs) for name in names), strict=True):
        path = route
        for value in values:
            path = PART.sub(quote(value).replace("\\", r"\\"), path, count=1)
        paths.append("/" + path)
    return paths


def requests_of(paths: list[str], theirs: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield method, path and body. The first two addresses are tried in every way."""
    known = "&".join(f"{name}={value}" for name, value in theirs.items())
    for path in paths:
        yield "GET", path, BODIES[0]
    for path in paths[:2]:
        yield "GET", f"{path}?{NONSENSE}&{known}", BODIES[0]
        yield from ((method, path, BODIES[1]) for method in METHODS)
        yield from (("POST", path, body) for body in BODIES)
        yield "POST", path, (BODIES[0][0], known.encode())


def is_refused(answer: Any) -> bool:
    """Return True for 4xx, and for the way to the sign-in or back to a form."""
    return 400 <= answer.status_code < 500 or answer.status_code in (302, 303)


def is_strict(policy: str) -> bool:
    """Tell whether a page with this policy runs our own files, and else only what has its nonce."""
    parts = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    code = [parts.get(name, parts.get("default-src", "*")) for name in CODE]
    return parts.keys() >= BOUND and not any(map(LOOSE.search, code))


def person_of(role: str) -> User | None:
    """Return nobody, another shopper, or one of the staff by the name of their role.

    Staff see orders at the desk, by its permissions; the shop's pages show them no more.
    """
    if role in ("a stranger", KEY):
        return None
    person = User.objects.create_user("eve", "eve@example.org", is_staff=role in STAFF)
    if person.is_staff:
        person.groups.add(Group.objects.get(name=role))
    return person


@pytest.mark.parametrize("role", ["a stranger", "another account", *STAFF, KEY])
def test_nothing_is_there_for_the_wrong_person_and_nothing_breaks(
    client: Client, theirs: dict[str, Any], role: str, settings: Any, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    client.raise_request_exception = False
    settings.API_CLIENT_LIMIT = UNLIMITED
    eve = person_of(role)
    if role == KEY:
        scopes = [scope for scope in SCOPES if scope != CUSTOMERS_READ]
        client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {key_of(scopes=scopes)}"
    broken, told, loose = [], [], set()

    for route, pattern in walked():
        if eve is not None:
            client.force_login(eve)
        paths = paths_of(route, theirs)
        has_parts = paths != ["/" + route]
        for method, path, (content_type, body) in requests_of(paths, theirs):
            answer = client.generic(method, path, body, content_type, HTTP_ACCEPT="text/html")
            shown = b"" if answer.streaming else answer.content
            is_fine = answer.status_code < 500 or pattern.name in HEALTH
            if has_parts or method not in ("GET", "HEAD", "POST"):
                is_repeat = pattern.name == REPEATABLE and method == "POST"
                is_fine = is_fine and (is_repeat or is_refused(answer))
            if not is_fine:
                broken.append((answer.status_code, method, path, body))
            if SECRET.lower() in (shown.decode(errors="replace") + str(answer.headers)).lower():
                told.append((method, path))
            if not is_strict(answer.headers.get("Content-Security-Policy", "")):
                loose.add(route)

    assert broken == []
    assert told == []
    assert loose == set()


def test_the_walk_would_tell(client: Client, theirs: dict[str, Any]) -> None:
    """The control: what the walk looks for is on the owner's pages."""
    client.force_login(User.objects.get(username="other"))

    for path in ("/accounts/addresses/", f"/accounts/addresses/{theirs['address_id']}/"):
        assert SECRET in client.get(path).content.decode()


@pytest.mark.parametrize(
    "policy",
    [
        "",
        "script-src 'self'; style-src 'self'; base-uri 'self'; form-action 'self'",
        "script-src * ; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
        "style-src 'unsafe-inline'; base-uri 'self'; form-action 'self'; frame-ancestors *",
        "default-src https:; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
        POLICY_OF_THE_DESK,
    ],
)
def test_a_loose_policy_would_be_told(policy: str) -> None:
    assert not is_strict(policy)
