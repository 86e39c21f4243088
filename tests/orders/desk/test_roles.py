"""Every page and every action of the desk, with every role: who may what, against one table."""

import hashlib
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone

from notifications.models import ChannelState
from orders.accounts.roles import ROLES
from orders.models import User
from project.models import PausedQueue
from tests.orders.desk.role_rows import rows_of_each_model
from tests.orders.desk.role_table import ACTIONS, PAGES

pytestmark = pytest.mark.django_db
LETTERS = {"Viewer": "V", "Clerk": "C", "Stock keeper": "S", "Manager": "M", "Engineer": "E"}
"""The letters of the table."""


@pytest.fixture
def people(db: None) -> dict[str, User]:
    found = {}
    for role in ROLES:
        person = User.objects.create_user(role.name.replace(" ", ""), is_staff=True)
        person.groups.add(Group.objects.get(name=role.name))
        found[LETTERS[role.name]] = person
    return found


@pytest.fixture
def clients(people: dict[str, User]) -> dict[str, Client]:
    found = {}
    for letter, person in people.items():
        found[letter] = Client()
        found[letter].force_login(person)
    return found


def urls() -> Iterator[tuple[str, URLPattern]]:
    """Yield every named URL below /admin/, as the resolver has it."""
    waiting: list[Any] = list(admin.site.urls[0])
    while waiting:
        pattern = waiting.pop()
        if isinstance(pattern, URLResolver):
            waiting += pattern.url_patterns
        elif pattern.name:
            yield pattern.name, pattern


NAMES = sorted({name for name, _pattern in urls()})
OPEN = {"login", "logout", "jsi18n", "view_on_site"}
"""Pages without a permission of their own: the sign-in, its end, and scripts' words."""


def addresses(rows: dict[str, Any]) -> dict[str, str]:
    """Return each page's address, with a row that exists."""
    found = {}
    for name, pattern in urls():
        if name in OPEN:
            continue
        wanted = pattern.pattern.regex.groupindex
        model = next((known for known in rows if name.startswith(f"{known}_")), "")
        values = {key: _value(name, key, rows, model) for key in wanted}
        found[name] = reverse(f"admin:{name}", kwargs=values)
    return found


def _value(name: str, key: str, rows: dict[str, Any], model: str) -> Any:
    special = {
        "name": {"orders_order_step": "pack", "notifications_notification_all": "retry"},
        "recipe": {"media_jobs_asset_again": "product"},
        "app_label": {"app_list": "orders"},
    }
    if key in special:
        return special[key].get(name, "retry")
    if key == "view_id":
        return rows["view"].pk
    if key == "kind":
        return "packing_slip"
    if key == "payment_id":
        return rows["orders_order"].payments.get().pk
    if key == "attempt_id":
        return rows["orders_order"].payment_attempts.get().pk
    if key == "return_id":
        return rows["orders_return"].pk
    if key == "step":
        return "receive"
    if key == "client_id":
        return rows["orders_apiclient"].pk
    if key == "key_id":
        return rows["orders_apiclient"].keys.get().pk
    if key == "refund_id":
        return rows["orders_refund"].pk
    others = {
        "periodictask_run": "django_celery_beat_periodictask",
        "auth_user_password_change": "orders_user",
    }
    return rows[others.get(name, model)].pk


def is_let_in(answer: Any) -> bool:
    """Tell whether the page let the person in: no refusal, and no way to the sign-in."""
    if answer.status_code == 403:
        return False
    return not (answer.status_code == 302 and "/login/" in answer["Location"])


def visit(client: Client, url: str) -> Any:
    answer = client.get(url)
    return client.post(url, {}) if answer.status_code == 405 else answer


@pytest.mark.timeout(300)  # all pages, as each role
def test_every_page_lets_in_whom_the_table_names(clients: dict[str, Client]) -> None:
    rows = rows_of_each_model()
    found = {
        name: "".join(letter for letter, client in clients.items() if is_let_in(visit(client, url)))
        for name, url in sorted(addresses(rows).items())
    }

    assert found == PAGES


def test_every_action_is_offered_to_whom_the_table_names(people: dict[str, User]) -> None:
    found: dict[str, str] = {}
    for model, desk in admin.site._registry.items():
        for letter, person in people.items():
            request = RequestFactory().get("/")
            request.user = person
            if not desk.has_view_or_change_permission(request):
                continue
            for name in desk.get_actions(request):
                key = f"{model._meta.label_lower}:{name}"
                found[key] = found.get(key, "") + letter

    assert found == ACTIONS


@pytest.mark.parametrize("who", ["nobody", "shopper", "former"])
def test_nobody_else_is_let_in(who: str) -> None:
    client = Client()
    if who != "nobody":
        person = User.objects.create_user(who, is_staff=who == "former")
        person.groups.add(*Group.objects.all())
        client.force_login(person)
        User.objects.filter(username="former").update(is_active=False)

    let_in = [
        name
        for name, url in addresses(rows_of_each_model()).items()
        if is_let_in(visit(client, url))
    ]

    assert let_in == []


def everything() -> dict[str, str]:
    """Return a digest of each table, but for what a visit itself writes."""
    skipped = {"django_session", "project_limitcounter", "project_refusalcount", "project_cache"}
    digests = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table in skipped:
                continue
            cursor.execute(f'SELECT t::text FROM "{table}" t ORDER BY 1')
            rows = repr(cursor.fetchall()).encode()
            digests[table] = hashlib.sha256(rows).hexdigest()
    return digests


def test_a_viewer_changes_nothing_whatever_is_sent(clients: dict[str, Client]) -> None:
    rows = rows_of_each_model()
    pages = addresses(rows)
    for name, url in pages.items():
        if name.endswith("_changelist"):
            clients["V"].get(url)  # lists that make rows for what the settings name
    before = everything()

    for url in pages.values():
        clients["V"].post(url, {"post": "yes", "delta": "5", "reason": "x", "confirm": "1"})
    for desk in admin.site._registry.values():
        model = f"{desk.opts.app_label}_{desk.opts.model_name}"
        for action in _every_action(desk):
            chosen = {"action": action, "_selected_action": [str(rows[model].pk)]}
            clients["V"].post(pages[f"{model}_changelist"], chosen)

    assert everything() == before


def _every_action(desk: Any) -> set[str]:
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_active=True, is_staff=True)
    return set(desk.get_actions(request))


def test_each_step_of_an_order_needs_its_own_permission(clients: dict[str, Client]) -> None:
    order = rows_of_each_model()["orders_order"]
    steps = ("pay", "pack", "ship", "deliver", "cancel", "refund")
    found = {
        step: "".join(
            letter
            for letter, client in clients.items()
            if is_let_in(client.get(f"/admin/orders/order/{order.pk}/step/{step}/"))
        )
        for step in steps
    }

    assert found == {
        **dict.fromkeys(("pay", "ship", "deliver", "cancel"), "CM"),
        "pack": "CSM",
        "refund": "M",
    }


def test_no_page_offers_a_role_a_link_that_refuses_it(clients: dict[str, Client]) -> None:
    order = rows_of_each_model()["orders_order"]
    ChannelState.objects.filter(gateway="email").update(paused_at=timezone.now(), paused_by="ada")
    PausedQueue.objects.create(queue="media", paused_by="ada")
    pages = [
        reverse("admin:index"),
        reverse("admin:orders_refund_changelist"),
        reverse("admin:orders_return_changelist"),
        reverse("admin:orders_order_change", args=[order.pk]),
        reverse("admin:orders_product_changelist"),
    ]

    refused = {
        f"{letter} {link}"
        for letter, client in clients.items()
        for link in set().union(*(links_of(client.get(page)) for page in pages))
        if not is_let_in(client.get(link))
    }

    assert refused == set()


def links_of(answer: Any) -> set[str]:
    """Return the addresses of the desk's pages that the page leads to, files left out."""
    found = re.findall(r'href="(/admin/[^"#?]*)', answer.content.decode())
    return {unescape(link) for link in found if link.endswith("/") and "logout" not in link}
