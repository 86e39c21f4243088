"""Every page of the desk and the shop in Chinese: no English is left but names, codes and data."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from django_celery_results.models import TaskResult

from orders.models import Category, DeskJob
from project.models import AuditRun, DailyRun, Heartbeat, ManualRun, PerformanceRun, Sweep
from project.monitoring.audit import invariants
from tests.desk import placed
from tests.factories import add_product

pytestmark = pytest.mark.django_db

NAMES = {
    # the shop, its people, products and order numbers, and this test's rows
    *("Tandem", "admin", "Admin", "MUG", "Thing", "Things", "things", "relay", "host", "Packers"),
    # the names of languages, of currencies, of standards and of programs
    *(
        "English",
        "en",
        "zh",
        "hans",
        "API",
        "CSV",
        "XLSX",
        "UTC",
        "EUR",
        "ID",
        "Id",
        "IP",
        "GET",
        "POST",
        "HTTP",
        "Accept",
    ),
    *(
        "JSON",
        "Celery",
        "AMQP",
        "Axes",
        "LDAP",
        "Mac",
        "Control",
        "Command",
        "esc",
        "SKU",
        "slug",
        *("Webhook", "Webhooks", "https", "Standard", "HMAC", "SHA", "RFC", "DE", "AT"),
    ),
    *("crontab", "False", "True", "None", "pbkdf", "md", "argument", "value", "arg", "all", "SMS"),
    # words in the examples of what to type, and in the names of settings
    *("CELERY", "TASK", "QUEUES", "ORDER", "LIMITS", "DAILY", "CAP"),
}
ADDRESS = re.compile(r"\S+@\S+|https?://\S+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|/\w+/\S*")
KNOWN = (
    re.compile(r"\S*\*{4,}"),  # a part of a password's hash
    # third-party rows that are shown by their own name, and descriptions that are data
    re.compile(r"[\w ]+: [\d*/,]+ .*"),  # an entry with its crontab, perhaps cut
    re.compile(r"[\w ]+: 每 .*"),  # an entry with its interval
    re.compile(r"<Task: .*"),
    re.compile(r"Attempted Access: \S+ \S+"),
    re.compile(r"([\w ]+: )?(\S+ ){5}\(m/h/dM/MY/d\) \S+"),
    re.compile(r"\border:\S*|\b[0-9a-f]{8}\b"),  # what a job is about, and the begin of its id
    re.compile(r"\w+(\.\w+){2}"),  # the tasks that an operator chooses a new entry's from
    re.compile(r"\b[A-Z]\w+/[\w/ +-]+"),  # time zones
    re.compile(r"\b[A-Z]+(_[A-Z]+)+\b"),  # the names of settings
)


class _Texts(HTMLParser):
    """The texts that a reader sees or hears: not scripts, icons, or what people typed."""

    HIDDEN = ("script", "style", "svg", "code", "pre", "template", "textarea")

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._hidden = 0
        self._is_icon = self._is_name = self._is_zones = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self._hidden += tag in self.HIDDEN
        self._is_icon = "material-symbols" in (known.get("class") or "")
        self._is_name = tag == "bdi"
        if tag == "select" and known.get("name") == "timezone":
            self._hidden += 1
            self._is_zones = True
        for name in ("title", "placeholder", "aria-label", "alt"):
            self.found.append(known.get(name) or "")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in self.HIDDEN
        if tag == "select" and self._is_zones:
            self._hidden -= 1
            self._is_zones = False
        self._is_icon = self._is_name = False

    def handle_data(self, data: str) -> None:
        if not (self._hidden or self._is_icon or self._is_name):
            self.found.append(data)


def english_in(html: str) -> set[str]:
    """Return the Latin words that a reader of this page sees, but for NAMES."""
    texts = _Texts()
    texts.feed(html)
    words: set[str] = set()
    for text in texts.found:
        rest = text
        for known in (ADDRESS, *KNOWN):
            rest = known.sub(" ", rest)
        words |= {word for word in re.findall(r"[A-Za-z]{2,}", rest) if word not in NAMES}
    return words


@pytest.fixture(autouse=True)
def language_is_restored() -> Iterator[None]:
    """A request leaves its language active in this thread, for the tests that follow."""
    with translation.override("en"):
        yield


@pytest.fixture
def chinese(admin_client: Client, admin_user: Any) -> Client:
    """An operator who reads Chinese, and a row of every kind."""
    order = placed(add_product("MUG"), name="王小明")
    Heartbeat.objects.all().delete()  # those of real workers, of tests before
    Heartbeat.objects.beat(
        "relay@host", broker="ok", pid=4711, ring_to_start={"media": 0.2, "notification": 0.1}
    )
    Heartbeat.objects.create(
        name="relay@host:2", seen_at=timezone.now() - timedelta(hours=1), detail={"broker": "ok"}
    )
    AuditRun.objects.create(
        is_clean=False,
        findings=[
            {"name": each.name, "checked": 1, "violations": 1, "examples": []}
            for each in invariants()
        ],
    )
    TaskResult.objects.create(
        task_id=str(order.pk),
        status="SUCCESS",
        task_name="project.tasks.audit",
        result='{"clean": true}',
    )
    DailyRun.objects.create(
        name="project.tasks.prune",
        day=timezone.now().date(),
        result={"sessions": 3},
        finished_at=timezone.now(),
    )
    Sweep.objects.note_done("settle_due", result="0", allow=timedelta(minutes=1))
    ManualRun.objects.create(
        kind="project.tasks.audit", periodic_task="Audit", status="done", result={"clean": True}
    )
    for state in ("done", "interrupted", "running"):
        finished_at = None if state == "running" else timezone.now()
        PerformanceRun.objects.create(
            rate=5, seconds=60, state=state, finished_at=finished_at, p50=20, p95=50, p99=80
        )
    DeskJob.objects.create(
        kind="print_packing_slips", status="done", result={"papers": 3, "refusals": []}
    )
    Category.objects.create(name="Things 2", slug="things-2")
    Group.objects.create(name="Packers")
    AccessAttempt.objects.create(username="x", ip_address="192.0.2.1", failures_since_start=1)
    admin_client.cookies["django_language"] = "zh-hans"
    return admin_client


def desk_pages() -> list[str]:
    urls = [reverse("admin:index"), reverse("admin:password_change")]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        urls += [reverse(f"{name}_changelist"), reverse(f"{name}_add")]
        if row := model._default_manager.first():
            urls += [reverse(f"{name}_{page}", args=[row.pk]) for page in ("change", "history")]
    return urls


def test_no_page_of_the_desk_has_english_left(chinese: Client) -> None:
    found: dict[str, set[str]] = {}
    read = 0
    for url in desk_pages():
        answer = chinese.get(url)
        if answer.status_code == 200:
            read += 1
            found[url] = english_in(answer.content.decode())

    assert read > 40
    assert {url: words for url, words in found.items() if words} == {}


@pytest.mark.parametrize(
    "url", ["/", "/cart/", "/accounts/settings/", "/accounts/addresses/", "/accounts/email/"]
)
def test_no_page_of_the_shop_has_english_left(chinese: Client, url: str) -> None:
    answer = chinese.get(url)

    assert answer.status_code == 200
    assert english_in(answer.content.decode()) == set()


@pytest.mark.parametrize(
    "url", ["/accounts/login/", "/accounts/login/code/", "/accounts/password/reset/"]
)
def test_no_entrance_of_the_shop_has_english_left(client: Client, url: str) -> None:
    client.cookies["django_language"] = "zh-hans"

    answer = client.get(url)

    assert answer.status_code == 200
    assert english_in(answer.content.decode()) == set()


def test_english_is_found() -> None:
    assert english_in('<p title="Save">保存 SUCCESS <code>x</code></p>') == {"Save", "SUCCESS"}
