"""Celery's results at the desk: what ran, of which job and order, how it ended; ids last."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_celery_results.models import TaskResult

from notifications.models import Notification
from tests.desk import placed
from tests.factories import add_product
from tests.orders.shop.pages import text_of

pytestmark = pytest.mark.django_db

LIST = "/admin/django_celery_results/taskresult/"


def test_a_result_says_in_words_what_it_is_of_and_links_there(admin_client: Client) -> None:
    order = placed(add_product("MUG"))
    job = Notification.objects.get()
    TaskResult.objects.create(
        task_id=str(job.pk), task_name="notifications.tasks.send", status="SUCCESS"
    )
    TaskResult.objects.create(
        task_id=str(uuid4()), task_name="project.tasks.audit", status="FAILURE"
    )

    answer = admin_client.get(LIST)
    page, html = text_of(answer), answer.content.decode()

    assert f"/admin/notifications/notification/{job.pk}/change/" in html
    assert f"/admin/orders/order/{order.pk}/change/" in html
    assert "Order placed · E-mail to" in page
    row = page[page.index("Order placed") - 200 :]
    assert row.index("Order placed") < row.index(order.display_number) < row.index(str(job.pk))
    result = TaskResult.objects.get(task_id=str(job.pk))
    opened = admin_client.get(f"{LIST}{result.pk}/change/")
    shown = text_of(opened)
    assert "&lt;Task" not in opened.content.decode()
    assert "Order placed · E-mail to" in shown
    assert shown.index("Order placed") < shown.index(str(job.pk))


def test_the_jobs_of_a_page_are_read_in_one_query_for_each_kind(admin_client: Client) -> None:
    order = placed(add_product("MUG"))
    counts = []
    for _round in range(2):
        for _number in range(5):
            job = Notification.objects.create(
                order_id=order.pk, kind="order_placed.email", event="order_placed",
                channel="email", recipient=f"{uuid4()}@example.org", language="en",
            )  # fmt: skip
            TaskResult.objects.create(task_id=str(job.pk), task_name="notifications.tasks.send")
        admin_client.get(LIST)
        with CaptureQueriesContext(connection) as queries:
            admin_client.get(LIST)
        counts.append(len(queries))

    assert counts[0] == counts[1]
