"""An operator pauses a channel: its messages wait, pages say so, and then all go on."""

from contextlib import suppress
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from notifications.delivery import breaker, pausing
from notifications.delivery.parked import report_channels, wake
from notifications.models import ChannelState, Notification
from project.desk.audit_log import told
from project.jobs.errors import JobError
from project.jobs.queryset import Status
from project.jobs.run import run_job
from project.models import Heartbeat
from project.monitoring.health import SERVICES

pytestmark = pytest.mark.django_db
GATEWAY = "sms:127.0.0.1"
PAGE = "/admin/notifications/channelstate/"


def run(message: Notification) -> Notification:
    """Make one attempt; its error is on the row."""
    with suppress(JobError):
        run_job(Notification, message.pk)
    message.refresh_from_db()
    return message


@pytest.fixture
def paused(gateway: Any) -> None:
    """SMS, by ada."""
    ChannelState.objects.create(gateway=GATEWAY)
    pausing.pause(ChannelState.objects.filter(gateway=GATEWAY), by="ada", reason="Maintenance")


def decide(client: Client, action: str, gateway: str = GATEWAY, **more: str) -> str:
    data = {"action": action, "_selected_action": gateway, **more}
    return client.post(PAGE, data, follow=True).content.decode()


# ── Messages ────────────────────────────────────────────────────────────────────────────────
def test_messages_of_a_paused_channel_wait_without_an_attempt(queued, gateway, paused) -> None:
    message = run(queued("sms"))

    assert (message.status, message.attempts, message.error) == (Status.QUEUED, 0, "paused by ada")
    assert wake() == 0
    assert gateway.asked == []


def test_other_channels_go_on(queued, paused, mailbox) -> None:
    assert run(queued("email")).status == Status.DONE


def test_all_go_on_when_it_is_resumed(queued, gateway, paused) -> None:
    gateway.answers = [201] * 3
    messages = [run(queued("sms")) for _ in range(3)]

    pausing.resume(ChannelState.objects.all())

    assert wake() == 3
    assert {run(message).status for message in messages} == {Status.DONE}


def test_a_pause_outlives_an_outage_and_the_outage_a_pause(queued, gateway, paused) -> None:
    breaker.failed(GATEWAY, "503", probing=True)
    assert run(queued("sms")).error == "paused by ada"

    breaker.answered(GATEWAY)
    assert run(queued("sms")).error == "paused by ada"
    breaker.failed(GATEWAY, "503", probing=True)
    pausing.resume(ChannelState.objects.all())

    assert run(queued("sms")).error == "503"


def test_who_paused_it_first_is_remembered(paused) -> None:
    assert pausing.pause(ChannelState.objects.all(), by="bob", reason="Too slow") == 0

    state = ChannelState.objects.get()
    assert (state.paused_by, state.pause_reason) == ("ada", "Maintenance")


@pytest.mark.parametrize("values", [{"paused_at": None}])
def test_the_database_refuses_half_a_pause(paused, values) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        ChannelState.objects.update(**values)


def test_what_waited_for_a_gateway_that_is_no_longer_used_goes_by_another(
    queued, gateway, paused, settings
) -> None:
    gateway.answers = [201]
    message = run(queued("sms"))
    settings.SMS_URL = settings.SMS_URL.replace("127.0.0.1", "localhost")

    assert wake() == 1

    sent = run(message)
    assert (sent.status, sent.gateway) == (Status.DONE, "sms:localhost")


# ── It is seen ──────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def all_alive() -> None:
    for service in SERVICES:
        Heartbeat.objects.beat(f"{service}@host", broker="ok")


def test_readyz_tells_it_and_is_not_degraded(paused, all_alive, client: Client) -> None:
    answer = client.get("/readyz").json()

    assert answer["status"] == "ok"
    assert answer["checks"]["channel:sms"] == "paused (for 0 s)"
    assert 'tandem_up{service="channel:sms"} 1.0' in client.get("/metrics").content.decode()


def test_an_outage_of_another_gateway_is_not_hidden_by_a_pause(paused, settings) -> None:
    settings.SMS_URL += " http://localhost/sms"
    breaker.failed("sms:localhost", "503", probing=True)

    said = report_channels().checks["channel:sms"]

    assert said == "localhost: 503 (for 0 s); paused 127.0.0.1 (for 0 s)"


def test_the_first_page_has_a_banner(paused, all_alive, admin_client: Client) -> None:
    page = admin_client.get(reverse("admin:index")).content.decode()

    banner = page.partition('role="status">')[2].partition("</section>")[0]
    assert "Paused: SMS by 127.0.0.1" in banner
    assert PAGE in banner
    assert 'role="alert"' not in page


def test_the_list_of_messages_says_so_too(paused, admin_client: Client) -> None:
    page = admin_client.get("/admin/notifications/notification/").content.decode()

    assert "SMS by 127.0.0.1 is paused by ada, so its messages wait: Maintenance" in page


# ── The desk ────────────────────────────────────────────────────────────────────────────────
def test_every_configured_channel_is_listed_before_it_ever_failed(gateway, admin_client) -> None:
    page = admin_client.get(PAGE).content.decode()

    assert "E-mail" in page
    assert "SMS by 127.0.0.1" in page


def test_an_operator_pauses_for_a_reason_and_resumes(queued, gateway, admin_client: Client) -> None:
    admin_client.get(PAGE)

    asked = decide(admin_client, "pause")
    assert "Pause SMS by 127.0.0.1?" in asked
    assert "required" in decide(admin_client, "pause", reason=" ")
    assert not ChannelState.objects.exclude(paused_at=None).exists()
    said = decide(admin_client, "pause", reason="Twice the price today")
    assert "1 channel is paused" in said
    assert "paused by admin" in said
    for page in (PAGE, "/admin/notifications/notification/", "/admin/"):
        assert "Twice the price today" in admin_client.get(page).content.decode()
    assert told(LogEntry.objects.get()).reason == "Twice the price today"
    run(queued("sms"))

    assert "1 channel goes on" in decide(admin_client, "resume")
    assert wake() == 1


def test_who_may_only_look_may_not_pause(paused, client, django_user_model) -> None:
    from django.contrib.auth.models import Permission

    looker = django_user_model.objects.create_user("looker@example.org", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_channelstate"))
    client.force_login(looker)

    decide(client, "resume")

    assert ChannelState.objects.get(gateway=GATEWAY).paused_at


def test_a_gateway_that_is_no_longer_used_is_called_so(paused, settings, admin_client) -> None:
    settings.SMS_URL = "https://gateway.example/sms"

    page = admin_client.get(PAGE).content.decode()

    assert "not used any more" in page
