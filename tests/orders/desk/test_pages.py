"""Every page of the desk opens, within its number of queries, and under its own policy."""

import re

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags
from django_celery_beat.models import PeriodicTask

from media_jobs.models import MediaJob
from notifications.models import ChannelState, Notification
from orders.desk.dashboard import MEANINGS
from orders.models import Announcement, DeskJob, Order, Product, StockMovement
from project.jobs.queryset import Status
from project.models import AuditRun, Heartbeat, LimitCounter
from project.monitoring.health import SERVICES
from tests.desk import message, placed
from tests.factories import add_product

pytestmark = pytest.mark.django_db

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_list_opens(model: type, admin_client: Client) -> None:
    placed(add_product("MUG"))
    Heartbeat.objects.beat("relay@host", broker="ok")
    AuditRun.objects.create(is_clean=True, findings=[])

    answer = admin_client.get(
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("model", "column"),
    [
        (Announcement, "send_time"),
        (Announcement, "finished"),
        (ChannelState, "next_try"),
        (LimitCounter, "until"),
        (PeriodicTask, "schedule"),
        (PeriodicTask, "next_run"),
    ],
)
def test_a_list_of_planned_times_names_their_zone(model: type, column: str) -> None:
    desk = admin.site._registry[model]

    assert column in desk.list_display
    assert label_for_field(column, model, desk).endswith(f" ({settings.TIME_ZONE})")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_form_to_add_something_opens(model: type, admin_client: Client) -> None:
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
    offered = url in admin_client.get(reverse("admin:index")).content.decode()

    answer = admin_client.get(url, follow=True)  # a new order's page adds a key to its address

    assert answer.redirect_chain == [] or answer.redirect_chain[0][0].startswith(f"{url}?key=")
    assert answer.status_code in ((200,) if offered else (200, 403))


@pytest.mark.parametrize("model", [Order, Product, Notification, MediaJob, StockMovement, DeskJob])
def test_a_list_takes_as_many_queries_for_one_row_as_for_many(
    model: type, admin_client: Client
) -> None:
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    placed(add_product("FIRST"))
    admin_client.get(url)
    with CaptureQueriesContext(connection) as alone:
        admin_client.get(url)
    for number in range(15):
        placed(add_product(f"SKU-{number}"))

    with CaptureQueriesContext(connection) as many:
        admin_client.get(url)

    assert len(many) <= len(alone) <= 16


def test_the_first_page_says_what_needs_a_person(admin_client: Client) -> None:
    order = placed(add_product("MUG", stock=0, price="12.30"), quantity=2)
    message(order, status=Status.FAILED)
    message(order, status=Status.UNKNOWN)

    answer = admin_client.get(reverse("admin:index"))

    today = answer.context["periods"][0]
    assert [measure.value for measure in today.measures] == ["1", "€24.60", "2"]
    counts = {task.name: task.count for task in answer.context["tasks"]}
    assert (counts["failed"], counts["unknown"]) == (1, 1)
    assert [product.sku for product in answer.context["low_stock"]] == ["MUG"]
    assert order.display_number in answer.content.decode()


def test_the_first_page_says_what_is_degraded_and_what_that_means(admin_client: Client) -> None:
    for service in SERVICES:
        Heartbeat.objects.beat(f"{service}@host", broker="Connection refused (for 12 s)")

    page = admin_client.get(reverse("admin:index"))

    alert = re.search(r'role="alert">(.*?)</section>', page.content.decode(), re.DOTALL)
    assert alert
    words = " ".join(strip_tags(alert[1]).split())
    assert words == (
        "Degraded: Broker Broker Connection refused (for 12 s)"
        " Orders go on. The relay sends messages itself, pictures wait."
    )


def test_nothing_is_degraded_while_all_are_well(admin_client: Client) -> None:
    for service in SERVICES:
        Heartbeat.objects.beat(f"{service}@host", broker="ok")

    page = admin_client.get(reverse("admin:index"))

    assert 'role="alert"' not in page.content.decode()


def test_every_service_says_what_its_trouble_means() -> None:
    assert MEANINGS.keys() == {"broker", "sweeps", "daily", *SERVICES}


def test_the_first_page_takes_few_queries(admin_client: Client) -> None:
    for number in range(10):
        placed(add_product(f"SKU-{number}", stock=1))

    with CaptureQueriesContext(connection) as queries:
        admin_client.get(reverse("admin:index"))

    assert len(queries) <= 12


def test_only_staff_gets_in() -> None:
    answer = Client().get(reverse("admin:index"))

    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("admin:login"))


def test_a_login_leads_to_the_desk(admin_user: object) -> None:
    answer = Client().post(reverse("admin:login"), {"username": "admin", "password": "password"})

    assert answer["Location"] == reverse("admin:index")


def test_the_desk_loads_nothing_from_elsewhere(admin_client: Client) -> None:
    answer = admin_client.get(reverse("admin:index"))

    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in Client().get("/")["Content-Security-Policy"]
