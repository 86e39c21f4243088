"""Others set two kinds of address that the shop asks, and both are guarded: no request can be led
into the machine's network.

The others are those of its variables. A new field or module that these tests name needs the guard
of webhooks first: `notifications.webhooks.addresses`.
"""

import ast
import re
from pathlib import Path

import pytest
from django import forms
from django.apps import apps
from django.contrib import admin
from django.db import models
from django.test import RequestFactory
from django.urls import get_resolver

from orders.models import User
from project.local.env import ROOT

OURS = ("orders", "notifications", "media_jobs", "project")
NAMES = re.compile(r"ur[il]|link|webhook|endpoint|host|server|callback")
"""What a field that holds an address is called."""
CLIENTS = {
    *("http.client", "urllib.request", "urllib3", "requests", "httpx", "aiohttp", "smtplib"),
    *("ftplib", "socket", "stripe", "apprise", "boto3", "botocore", "websockets", "paramiko"),
}
"""Modules by which a program asks another one."""


def address_fields(fields: list[models.Field]) -> list[str]:
    """Return those of URL kind, or that are called like an address."""
    return [
        str(field)
        for field in fields
        if isinstance(field, models.URLField)
        or (isinstance(field, models.CharField | models.TextField) and NAMES.search(field.name))
    ]


@pytest.mark.django_db
def test_each_address_that_others_set_is_guarded_or_asked_by_browsers_only(
    rf: RequestFactory,
) -> None:
    fields = [
        field
        for model in apps.get_models()
        if model._meta.app_label in OURS
        for field in model._meta.concrete_fields
    ]
    request = rf.get("/")
    request.user = User(is_superuser=True, is_active=True, is_staff=True)
    editable = [
        field
        for model, desk in admin.site._registry.items()
        if desk.has_change_permission(request) or desk.has_add_permission(request)
        for field in model._meta.concrete_fields
        if field.name in desk.get_form(request).base_fields
    ]

    guarded = "notifications.WebhookEndpoint.url"
    assert address_fields(fields) == [
        guarded,
        # An agent's platform is read by `orders.agents.guarded_fetch`, which has the same guard.
        "orders.AgentPlatform.profile_url",
        # Where browsers go, not the shop: a client's known address, a provider's own page.
        "orders.AgentLink.redirect_uri",
        "orders.PaymentAttempt.url",
    ]
    assert address_fields(editable) == [guarded]
    assert len(editable) > 20


def test_control_a_field_that_holds_an_address_is_found() -> None:
    url, hook, name = models.URLField(), models.TextField(), models.CharField()
    url.name, hook.name, name.name = "anything", "webhook", "name"

    assert len(address_fields([url, hook, name])) == 2


def test_no_form_asks_for_an_address() -> None:
    """Every form of ours that is loaded, also those without a model."""
    assert get_resolver().url_patterns  # which loads the views and their forms
    waiting: list[type] = [forms.BaseForm]
    found = []
    while waiting:
        form = waiting.pop()
        waiting += form.__subclasses__()
        if form.__module__.partition(".")[0] in OURS:
            fields = getattr(form, "base_fields", {}).items()
            found += [name for name, field in fields if isinstance(field, forms.URLField)]

    assert found == []


ASKING = {
    # MEDIA_STORAGE, BACKUP_FOLDER (and AWS's own variables), SMS_URL, EMAIL_URL, DELIVERY_CARRIERS,
    # PERFORMANCE_URL, STATSD_ADDRESS.
    "media_jobs/object_storage.py",
    "notifications/channels/apprise_sms.py",
    "notifications/channels/deadline.py",
    "notifications/channels/email.py",
    "notifications/channels/http.py",
    "notifications/channels/smtp.py",
    # Of an endpoint that people make: the guard itself.
    "notifications/webhooks/addresses.py",
    # Of an agent's platform: by the guard.
    "orders/agents/guarded_fetch.py",
    "orders/performance/load.py",
    "project/buckets.py",
    "project/figures/statsd.py",
    # Stripe's own address, and the shop's.
    "orders/payments/stripe_checkout.py",
    "orders/payments/test_bank/webhook.py",
    "notifications/mailbox/receipts.py",
}
"""The modules that may ask others, each for addresses of the environment."""
OWN_MACHINE = re.compile(
    r"project/local/|project/(worker|schedule|jobs|admission)/|project/models/"
)
"""They ask this machine's own processes or the broker, or only name the host."""


def imported(path: Path) -> set[str]:
    """Return the names of all modules that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def asks(path: Path) -> bool:
    return any(
        name == known or name.startswith(f"{known}.")
        for name in imported(path)
        for known in CLIENTS
    )


def test_these_modules_ask_others_and_no_more() -> None:
    files = [path for app in OURS for path in (ROOT / app).rglob("*.py")]
    found = {
        path.relative_to(ROOT).as_posix()
        for path in files
        if "benchmarks" not in path.parts and asks(path)
    }

    assert {name for name in found if not OWN_MACHINE.match(name)} == ASKING


@pytest.mark.parametrize(
    "line", ["import httpx", "from urllib.request import urlopen", "import requests.api"]
)
def test_control_a_module_that_asks_is_found(line: str, tmp_path: Path) -> None:
    (tmp_path / "fetch.py").write_text(f"def fetch():\n    {line}\n")

    assert asks(tmp_path / "fetch.py")
