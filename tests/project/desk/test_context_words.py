"""A job's context at the desk is told in words, in the reader's language."""

import pytest
from django.test import Client
from django.utils import translation

from notifications.events import EVENTS
from notifications.models import Notification
from orders.desk_jobs.kinds import IMPORT_PRODUCTS
from orders.desk_jobs.queue import queue_desk_job
from orders.messages.samples import sample_context
from orders.models import Order
from project.desk.context_words import LABELS, context_in_words
from tests.desk import placed
from tests.factories import add_product
from tests.project.desk.labelled import names_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("event", EVENTS)
def test_everything_that_a_message_says_has_a_label(event: str) -> None:
    order = placed(add_product("MUG"))

    context = sample_context(event, order=Order.objects.get(pk=order.pk), language="en")

    assert names_in(context) <= LABELS.keys()


def test_a_context_is_told_in_labels_and_formatted_values() -> None:
    context = {
        "currency": "EUR",
        "total": "1234.5",
        "language": "zh-hans",
        "dry_run": True,
        "reason": "",
        "text": "One\n\n<b>two</b>",
        "lines": [{"sku": "MUG", "quantity": 2, "unit_price": "5.00"}],
        "something_new": 7,
    }

    words = context_in_words(context)

    assert "<dt>Total</dt><dd>€1,234.50</dd>" in words
    assert "<dt>Language</dt><dd>简体中文</dd>" in words
    assert "<dt>Dry run</dt><dd>yes</dd>" in words
    assert "<dt>Reason</dt><dd>–</dd>" in words
    assert "<p>One</p>" in words
    assert "&lt;b&gt;two&lt;/b&gt;" in words
    assert "<li>SKU: MUG · Quantity: 2 · Price: €5.00</li>" in words
    assert "<dt>something_new</dt><dd>7</dd>" in words


def test_a_context_is_told_in_the_readers_language() -> None:
    with translation.override("zh-hans"):
        words = str(context_in_words({"currency": "CNY", "total": "5.00", "dry_run": False}))

    assert "<dt>Total" not in words
    assert ">no<" not in words
    assert "¥5.00" in words


@pytest.mark.parametrize("context", [{}, {"total": "five"}, {"total": None}, {"lines": []}])
def test_a_context_of_another_shape_is_told_as_it_is(context: dict[str, object]) -> None:
    assert "{" not in context_in_words(context)


def test_the_page_of_a_job_shows_no_json(admin_client: Client) -> None:
    queue_desk_job(IMPORT_PRODUCTS, user_id=None, context={"name": "tea.csv", "dry_run": True})
    message = Notification.objects.create(
        kind="order_link.email", event="order_link", channel="email", recipient="a@example.org",
        language="en", context={"number": "T1001", "shop_name": "Tandem"},
    )  # fmt: skip
    job = queue_desk_job(
        IMPORT_PRODUCTS, user_id=None, context={"name": "tea.csv", "dry_run": True}
    )

    pages = [
        admin_client.get(url).content.decode()
        for url in (
            f"/admin/orders/deskjob/{job.pk}/change/",
            f"/admin/notifications/notification/{message.pk}/change/",
        )
    ]

    assert "<dt>Dry run</dt><dd>yes</dd>" in pages[0]
    assert "<dt>Order number</dt><dd>T1001</dd>" in pages[1]
    assert not any("&quot;dry_run&quot;" in page or "&quot;number&quot;" in page for page in pages)
