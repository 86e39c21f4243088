"""Webhook endpoints and their deliveries at the desk."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.formats import date_format
from django.utils.html import strip_tags
from django.utils.timezone import localtime

from notifications.models import WebhookDelivery, WebhookEndpoint
from notifications.webhooks import wellbeing
from notifications.webhooks.endpoint_secrets import signing_keys
from notifications.webhooks.events import EVENTS, TEST
from orders.desk.attention import read_tasks
from project.database.clock import database_now
from project.jobs.queryset import PARKED, Status
from tests.notifications.webhooks.receiver import endpoint_at, happened
from tests.pages import open_page, read_page

pytestmark = pytest.mark.django_db

LIST = "/admin/notifications/webhookendpoint/"
LOG = "/admin/notifications/webhookdelivery/"
URL = "https://hooks.example/in"
TYPED = {
    "name": "Warehouse",
    "url": URL,
    "events": ["order.placed", "order.paid"],
    "signature": "standard",
    "minimum": "",
    "countries": "de, AT,de",
    "skus": "",
}


def act(client: Client, name: str, endpoint: WebhookEndpoint) -> str:
    """Choose the action for the endpoint, answer its question, and return the last page."""
    chosen = {"action": name, "index": "0", "_selected_action": str(endpoint.pk)}
    answer = client.post(LIST, chosen)
    if answer.status_code == 200:
        answer = read_page(client, LIST, answer.content.decode()).send(reason="Moving house")
    endpoint.refresh_from_db()
    return strip_tags(answer.content.decode())


def waiting_for_somebody(client: Client) -> dict[str, Any]:
    """Return the front page's counts by name."""
    assert client.get("/admin/").status_code == 200
    return {task.name: task.count for task in read_tasks(admin.site)}


def secrets_in(page: str) -> list[str]:
    return re.findall(r"whsec_[A-Za-z0-9+/=]+", page)


def test_the_secret_is_shown_once_and_no_cache_keeps_it(admin_client: Client) -> None:
    answer = admin_client.post(f"{LIST}add/", TYPED)

    endpoint = WebhookEndpoint.objects.get()
    [secret] = secrets_in(answer.content.decode())
    assert "no-store" in answer["Cache-Control"]
    assert len(signing_keys(endpoint, now=database_now())) == 1
    assert (endpoint.events, endpoint.countries) == (["order.placed", "order.paid"], ["DE", "AT"])
    again = admin_client.get(f"{LIST}{endpoint.pk}/change/").content.decode()
    assert secrets_in(again) == []
    assert secret not in str(list(LogEntry.objects.values()))


def test_an_unknown_country_is_refused_by_its_code(admin_client: Client) -> None:
    answer = admin_client.post(f"{LIST}add/", TYPED | {"countries": "de, xx, Fra"})

    page = unescape(strip_tags(answer.content.decode()))
    assert "There is no country with the code XX, FRA." in page
    assert "in the array" not in page
    assert not WebhookEndpoint.objects.exists()


def test_countries_that_werent_changed_are_no_change(admin_client: Client) -> None:
    endpoint = endpoint_at(URL, countries=["DE", "AT"])
    page = open_page(admin_client, f"{LIST}{endpoint.pk}/change/")

    assert page.values["countries"] == ["DE,AT"]
    page.send(name="Depot")

    endpoint.refresh_from_db()
    assert (endpoint.name, endpoint.countries) == ("Depot", ["DE", "AT"])


def test_an_address_is_refused_with_the_reason(admin_client: Client, settings: Any) -> None:
    settings.WEBHOOK_INSIDE = []

    answer = admin_client.post(f"{LIST}add/", TYPED | {"url": "https://10.0.0.1/h"})

    page = unescape(strip_tags(answer.content.decode()))
    assert "10.0.0.1 isn't public, and not in a network of WEBHOOK_INSIDE." in page
    assert not WebhookEndpoint.objects.exists()


def test_a_new_secret_is_shown_once_and_the_earlier_one_signs_on(admin_client: Client) -> None:
    endpoint = endpoint_at(URL)

    page = act(admin_client, "new_secret", endpoint)

    assert len(secrets_in(page)) == 1
    assert len(signing_keys(endpoint, now=database_now())) == 2


def test_a_second_new_secret_says_which_one_ends_at_once(admin_client: Client) -> None:
    endpoint = endpoint_at(URL)
    chosen = {"action": "new_secret", "index": "0", "_selected_action": str(endpoint.pk)}

    first = strip_tags(admin_client.post(LIST, chosen).content.decode())
    act(admin_client, "new_secret", endpoint)
    second = strip_tags(admin_client.post(LIST, chosen).content.decode())

    assert "The present secret signs for 24 hours more" in first
    assert "at once" not in first
    until = date_format(localtime(endpoint.old_secret_until), "Y-m-d H:i")
    assert f"The one before it would sign until {until} and ends now, at once" in second


def test_after_a_restore_a_new_secret_lets_the_endpoint_go_on(admin_client: Client) -> None:
    endpoint = endpoint_at(URL, secret="", status=WebhookEndpoint.Status.PAUSED)
    chosen = {"action": "new_secret", "index": "0", "_selected_action": str(endpoint.pk)}

    question = strip_tags(admin_client.post(LIST, chosen).content.decode())
    page = act(admin_client, "new_secret", endpoint)
    act(admin_client, "resume", endpoint)

    assert "can't be read: the new one signs alone" in unescape(question)
    assert len(secrets_in(page)) == len(signing_keys(endpoint, now=database_now())) == 1
    assert endpoint.status == WebhookEndpoint.Status.ACTIVE


def test_the_test_button_queues_a_delivery_like_any_other(admin_client: Client) -> None:
    endpoint = endpoint_at(URL)

    act(admin_client, "test", endpoint)

    [delivery] = WebhookDelivery.objects.all()
    assert (delivery.kind, delivery.endpoint, delivery.ring_after) == (TEST, endpoint, PARKED)


def test_a_paused_endpoint_goes_on_where_it_was(admin_client: Client) -> None:
    endpoint = endpoint_at(URL)

    act(admin_client, "pause", endpoint)
    assert (endpoint.status, endpoint.status_reason) == ("paused", "Moving house")
    happened()

    act(admin_client, "resume", endpoint)
    assert (endpoint.status, endpoint.status_reason) == ("active", "")
    assert WebhookDelivery.objects.get().status == Status.QUEUED


def test_switching_off_cancels_what_waits(admin_client: Client) -> None:
    endpoint = endpoint_at(URL)
    happened(3)

    act(admin_client, "switch_off", endpoint)

    assert endpoint.status == "off"
    assert set(WebhookDelivery.objects.values_list("status", "error")) == {
        ("cancelled", "Moving house")
    }


def test_a_replay_by_filter_says_first_how_many(admin_client: Client) -> None:
    endpoint_at(URL)
    happened(7)
    WebhookDelivery.objects.update(status=Status.DONE, finished_at=database_now())
    other = WebhookDelivery.objects.first()
    assert other
    WebhookDelivery.objects.filter(pk=other.pk).update(kind="order.paid")
    question = f"{LOG}all/replay/?event=order.placed"

    page = admin_client.get(question).content.decode()
    assert "Send 6 deliveries again" in strip_tags(page)
    assert WebhookDelivery.objects.filter(status=Status.QUEUED).count() == 0

    read_page(admin_client, question, page).send(reason="They lost them")
    assert WebhookDelivery.objects.filter(status=Status.QUEUED, ring_after=PARKED).count() == 6
    other.refresh_from_db()
    assert other.status == Status.DONE


def ended(*statuses: Status) -> list[WebhookDelivery]:
    """A delivery in each of these statuses."""
    found = happened(len(statuses))
    for delivery, status in zip(found, statuses, strict=True):
        WebhookDelivery.objects.filter(pk=delivery.pk).update(
            status=status, finished_at=database_now()
        )
    return found


def state_of(delivery: WebhookDelivery) -> str:
    delivery.refresh_from_db()
    return delivery.status


def test_a_replay_button_is_for_its_status_and_keeps_the_other_filters(
    admin_client: Client,
) -> None:
    endpoint = endpoint_at(URL)
    endpoint_at(URL, name="Another", events=[])  # else the list has no filter of endpoints
    done, _done, failed, cancelled = ended(
        Status.DONE, Status.DONE, Status.FAILED, Status.CANCELLED
    )
    chosen = f"?endpoint__id__exact={endpoint.pk}"

    page = admin_client.get(f"{LOG}{chosen}").content.decode()
    links = [unescape(link) for link in re.findall(r'href="([^"]+/all/replay/[^"]*)"', page)]
    [to_failed] = [link for link in links if "failed" in link]
    asked = admin_client.get(to_failed).content.decode()

    assert sorted(links) == [
        f"{LOG}all/replay/{chosen}&status__exact={status}"
        for status in ("cancelled", "done", "failed")
    ]
    assert "Send 1 delivery again" in strip_tags(asked)
    words = " ".join(strip_tags(asked).split())
    assert "its own id? Status Failed Endpoint" in words
    assert "Warehouse" in words
    read_page(admin_client, to_failed, asked).send()
    assert [state_of(each) for each in (done, failed, cancelled)] == ["done", "queued", "cancelled"]


def test_a_replay_to_an_endpoint_that_is_off_is_refused_with_the_reason(
    admin_client: Client,
) -> None:
    endpoint_at(URL)
    [delivery] = ended(Status.DONE)
    WebhookEndpoint.objects.update(status="off")
    decide = f"{LOG}{delivery.pk}/decide/replay/"

    asked = strip_tags(admin_client.get(decide).content.decode())
    answered = strip_tags(admin_client.post(decide, {"reason": ""}, follow=True).content.decode())

    for page in (asked, answered):
        assert "1 delivery is left out: its endpoint is switched off. Resume it first." in page
    assert "Send 1 delivery" not in asked
    assert state_of(delivery) == "done"


def three_failed_at_each_of_two_of_which_one_is_off() -> None:
    endpoint_at(URL)
    off = endpoint_at(URL, name="Shut")
    happened(3)
    WebhookDelivery.objects.update(status=Status.FAILED, finished_at=database_now())
    WebhookEndpoint.objects.filter(pk=off.pk).update(status="off")


def assert_those_of_the_other_are_replayed(asked: str, answered: str) -> None:
    assert "Send 3 deliveries again" in strip_tags(asked)
    for page in (asked, answered):
        assert "3 deliveries are left out: their endpoints are switched off" in strip_tags(page)
    assert set(WebhookDelivery.objects.values_list("endpoint__name", "status")) == {
        ("Warehouse", "queued"),
        ("Shut", "failed"),
    }


def test_a_replay_of_all_leaves_out_what_went_to_endpoints_that_are_off(
    admin_client: Client,
) -> None:
    three_failed_at_each_of_two_of_which_one_is_off()
    question = f"{LOG}all/replay/?status__exact=failed"

    asked = admin_client.get(question).content.decode()
    answer = read_page(admin_client, question, asked).send_and_follow()

    assert_those_of_the_other_are_replayed(asked, answer.content.decode())


def test_a_replay_of_chosen_ones_leaves_them_out_too(admin_client: Client) -> None:
    three_failed_at_each_of_two_of_which_one_is_off()
    chosen = [str(key) for key in WebhookDelivery.objects.values_list("pk", flat=True)]
    values = {"action": "replay", "index": "0", "_selected_action": chosen}

    asked = admin_client.post(LOG, values).content.decode()
    answer = read_page(admin_client, LOG, asked).send_and_follow()

    assert_those_of_the_other_are_replayed(asked, answer.content.decode())


def test_the_lists_cost_the_same_for_many_rows(admin_client: Client) -> None:
    def queries(page: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert admin_client.get(page).status_code == 200
        return len(asked)

    for number in range(2):
        endpoint_at(URL, name=f"First {number}")
    happened(30)
    few = [queries(page) for page in (LIST, LOG)]
    for number in range(3):
        endpoint_at(URL, name=f"Endpoint {number}")
    happened(30)

    assert [queries(page) for page in (LIST, LOG)] == few


def test_one_that_doesnt_answer_is_on_the_front_page(admin_client: Client) -> None:
    endpoint_at(URL, failures=3, failing_since=database_now())

    front = admin_client.get("/admin/").content.decode()

    assert "Webhook endpoints that don&#x27;t answer" in front
    assert f"{LIST}?state=silent" in front
    assert "Warehouse" in strip_tags(admin_client.get(f"{LIST}?state=silent").content.decode())


def test_one_that_refuses_says_so_everywhere(admin_client: Client) -> None:
    endpoint = endpoint_at(
        URL, refusals=3, refusing_since=database_now(), refusal="500 out of order"
    )
    endpoint_at(URL, name="Accountant")

    front = strip_tags(admin_client.get("/admin/").content.decode())
    listed = strip_tags(admin_client.get(f"{LIST}?state=refusing").content.decode())
    page = strip_tags(admin_client.get(f"{LIST}{endpoint.pk}/change/").content.decode())

    assert "Webhook endpoints that refuse" in front
    assert ("Warehouse" in listed, "Accountant" in listed) == (True, False)
    assert "500 out of order" in listed
    assert "Refuses" in page
    assert "Its last 3 answers were refusals, since 20" in page
    assert "500 out of order" in page


@pytest.mark.parametrize("decision", ["resume", "switch_off"])
def test_one_that_is_gone_is_on_the_front_page_until_somebody_decides(
    admin_client: Client, decision: str
) -> None:
    endpoint = endpoint_at(URL)
    wellbeing.switch_off(endpoint, reason="410 Gone")

    before = waiting_for_somebody(admin_client)
    page = strip_tags(admin_client.get(f"{LIST}{endpoint.pk}/change/").content.decode())
    listed = strip_tags(admin_client.get(f"{LIST}?state=gone").content.decode())
    act(admin_client, decision, endpoint)
    after = waiting_for_somebody(admin_client)

    assert (before["gone"], after["gone"]) == (1, 0)
    assert "Warehouse" in listed
    assert "that it is gone (410)" in page
    assert "410 Gone" in page
    assert endpoint.status == ("active" if decision == "resume" else "off")


def test_the_front_page_counts_what_its_list_shows(admin_client: Client) -> None:
    """Endpoints of another protocol are no rows of the list."""
    endpoint_at(URL, kind="other", failures=1, failing_since=database_now())

    counts = waiting_for_somebody(admin_client)

    assert counts["silent"] == 0


def test_a_deliverys_body_can_be_read_and_is_there_as_it_was_sent(admin_client: Client) -> None:
    endpoint_at(URL)
    [delivery] = happened()
    sent = '{"type":"order.placed","data":{"name":"Zoë"}}'
    WebhookDelivery.objects.update(body=sent)

    page = unescape(admin_client.get(f"{LOG}{delivery.pk}/change/").content.decode())

    assert '{\n  "type": "order.placed",\n  "data": {\n    "name": "Zoë"' in page
    assert sent in page
    assert "As it was sent" in page
    WebhookDelivery.objects.update(body="no JSON")
    page = admin_client.get(f"{LOG}{delivery.pk}/change/").content.decode()
    assert "As it was sent" not in page
    assert page.count("no JSON") == 1


def test_a_list_of_one_endpoint_says_so(admin_client: Client) -> None:
    endpoint = endpoint_at(URL, name="Depot <3>")
    words = "Deliveries to one endpoint:"

    one = admin_client.get(f"{LOG}?endpoint__id__exact={endpoint.pk}").content.decode()

    assert words in one
    assert "Depot &lt;3&gt;</bdi>" in one
    assert words not in admin_client.get(LOG).content.decode()
    for wrong in ("999999", "x", "9" * 30):
        answer = admin_client.get(f"{LOG}?endpoint__id__exact={wrong}", follow=True)
        assert answer.status_code == 200
        assert words not in answer.content.decode()


def test_all_events_are_chosen_by_one_box(admin_client: Client) -> None:
    admin_client.post(f"{LIST}add/", TYPED | {"events": ["all"]})

    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.events == list(EVENTS)
    page = admin_client.get(f"{LIST}{endpoint.pk}/change/").content.decode()
    assert "Order placed <code>order.placed</code>" in page


def test_without_an_event_the_form_says_what_is_missing(admin_client: Client) -> None:
    answer = admin_client.post(f"{LIST}add/", TYPED | {"events": []})

    assert "Choose at least one event, or all." in answer.content.decode()
    assert not WebhookEndpoint.objects.exists()
