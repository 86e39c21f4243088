"""A provider that is down stops its channel, not its messages."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client

from notifications.delivery import breaker
from notifications.delivery.parked import report_channels, wake
from notifications.models import ChannelState, Notification
from project.jobs.dispatch import ring
from project.jobs.errors import JobError
from project.jobs.queryset import MAX_ATTEMPTS, Status
from project.jobs.run import run_job
from tests.notifications.gateway import Gateway

pytestmark = pytest.mark.django_db


def run(message: Notification) -> Notification:
    """Make one attempt; its error is on the row."""
    with suppress(JobError):
        run_job(Notification, message.pk)
    message.refresh_from_db()
    return message


def make_due(message: Notification) -> None:
    """As if the backoff were over."""
    Notification.objects.filter(pk=message.pk).update(run_after=Now() - timedelta(seconds=1))


def end_pause() -> None:
    """As if the breaker's time were over."""
    ChannelState.objects.update(open_until=Now() - timedelta(seconds=1))


def seconds_open(gateway: str = "email") -> float:
    """For how long the breaker stays open, by the database's clock."""
    [left] = ChannelState.objects.filter(gateway=gateway).values_list(
        F("open_until") - Now(), flat=True
    )
    return left.total_seconds()


def is_parked(message: Notification) -> bool:
    return Notification.objects.parked().filter(pk=message.pk).exists()


@pytest.fixture
def outage(queued: Callable[..., Notification], email_port: int) -> list[Notification]:
    """Nothing listens where e-mail goes, and three messages have found that out."""
    messages = [queued("email") for _ in range(breaker.FAILURES_TO_OPEN)]
    for message in messages:
        run(message)
    return messages


# ── It opens ────────────────────────────────────────────────────────────────────────────────
def test_three_failures_of_the_provider_in_a_row_open_the_breaker(outage) -> None:
    assert [message.attempts for message in outage] == [1, 1, 0], "the third is queued again"
    assert is_parked(outage[2])
    assert "refused" in outage[2].error
    assert 14 < seconds_open() <= 15


def test_while_it_is_open_nobody_asks_and_no_attempt_is_counted(outage, queued, mail_server):
    reached: list[Any] = []

    class Server:
        async def handle_DATA(self, *args: Any) -> str:
            reached.append(args)
            return "250 OK"

    mail_server(Server())
    message = run(queued("email"))

    assert (message.status, message.attempts, reached) == (Status.QUEUED, 0, [])
    assert is_parked(message)
    assert ring(Notification) == [], "what is parked is not rung"


def test_control_without_the_breaker_an_outage_uses_up_every_attempt(
    queued, email_port, monkeypatch
) -> None:
    monkeypatch.setattr(breaker, "failed", lambda *args, **options: False)
    message = queued("email")

    for _attempt in range(MAX_ATTEMPTS):
        make_due(message)
        run(message)

    assert message.status == Status.FAILED


def test_an_outage_of_hours_fails_no_message(queued, email_port) -> None:
    messages = [queued("email") for _ in range(5)]

    for _round in range(10 * MAX_ATTEMPTS):
        end_pause()
        wake()
        for message in messages:
            make_due(message)
            run(message)

    assert {message.status for message in messages} == {Status.QUEUED}
    assert max(message.attempts for message in messages) <= breaker.FAILURES_TO_OPEN


def test_each_failed_probe_doubles_the_pause_up_to_five_minutes(outage) -> None:
    pauses = []
    for _probe in range(6):
        end_pause()
        wake()
        run(outage[2])
        pauses.append(round(seconds_open()))

    assert pauses == [30, 60, 120, 240, 300, 300]


def test_one_message_probes_and_the_others_wait_for_it(outage, queued) -> None:
    end_pause()

    assert breaker.admit("email")
    assert run(queued("email")).attempts == 0
    assert 25 < seconds_open() <= 30, "if the probe dies, another follows"


def test_failures_that_began_before_the_outage_was_known_prolong_nothing(outage) -> None:
    assert breaker.failed("email", "late", probing=False)

    assert seconds_open() <= 15


def test_each_channel_has_a_breaker_of_its_own(outage, queued, gateway) -> None:
    gateway.answers = [201]

    assert run(queued("sms")).status == Status.DONE


@pytest.mark.parametrize("status", [503, 429, 500])
def test_a_gateway_that_takes_nothing_opens_the_breaker(queued, gateway, status) -> None:
    gateway.answers = [status] * 3

    messages = [run(queued("sms")) for _ in range(4)]

    assert len(gateway.asked) == 3
    assert [message.attempts for message in messages] == [1, 1, 0, 0]


def test_doubt_opens_the_breaker_and_its_attempts_count(queued, gateway, settings) -> None:
    gateway.answers = [Gateway.DISCONNECT] * 3

    messages = [run(queued("sms")) for _ in range(4)]

    assert len(gateway.asked) == 3
    assert [message.attempts for message in messages] == [1, 1, 1, 0], "copies are bounded"


@pytest.mark.parametrize(
    ("step", "answer"),
    [("MAIL", "421 4.3.2 Shutting down"), ("DATA", "452 4.3.1 Insufficient system storage")],
)
def test_a_mail_server_that_speaks_of_itself_opens_the_breaker(queued, mail_server, step, answer):
    mail_server(Answers(step, answer))

    messages = [run(queued("email")) for _ in range(4)]

    assert [message.attempts for message in messages] == [1, 1, 0, 0]
    assert answer[:3] in messages[3].error


class Answers:
    """A mail server that gives one answer at one step."""

    def __init__(self, step: str, answer: str) -> None:
        async def handle(*args: Any) -> str:
            return answer

        setattr(self, f"handle_{step}", handle)


# ── It stays closed ─────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("answer", ["450 4.2.0 Greylisted", "550 5.1.1 No such user"])
def test_what_a_server_says_about_recipients_never_opens_it(queued, mail_server, answer) -> None:
    mail_server(Answers("RCPT", answer))

    for _message in range(5):
        assert run(queued("email")).attempts == 1

    assert report_channels().checks["channel:email"] == "ok"


def test_an_answer_between_failures_starts_the_count_anew(queued, gateway) -> None:
    gateway.answers = [503, 503, 422, 503, 503]

    messages = [run(queued("sms")) for _ in range(5)]

    assert [message.attempts for message in messages] == [1] * 5
    assert report_channels().checks["channel:sms"] == "ok"


# ── It closes ───────────────────────────────────────────────────────────────────────────────
def test_a_probe_that_succeeds_lets_all_others_go_at_once(outage, queued, mail_server) -> None:
    waiting = [run(queued("email")) for _ in range(5)]
    mail_server(Answers("DATA", "250 OK"))
    end_pause()
    assert wake() == 1, "one probes"
    [probe] = ring(Notification)

    run_job(Notification, probe)

    assert wake() == 5
    rung = ring(Notification)
    assert set(rung) | {probe} == {message.pk for message in (*waiting, outage[2])}
    assert [run(message).attempts for message in waiting if message.pk != probe] == [1] * len(
        [message for message in waiting if message.pk != probe]
    )
    assert report_channels().checks["channel:email"] == "ok"


def test_a_refusal_closes_it_too(outage, queued, mail_server) -> None:
    mail_server(Answers("RCPT", "550 5.1.1 No such user"))
    end_pause()
    message = queued("email")

    assert run(message).status == Status.FAILED
    assert report_channels().checks["channel:email"] == "ok"


def test_the_least_recently_tried_message_probes_next(outage, queued) -> None:
    other = run(queued("email"))
    end_pause()
    wake()
    assert ring(Notification) == [outage[2].pk]
    run(outage[2])
    end_pause()

    wake()

    assert ring(Notification) == [other.pk]


def test_nobody_is_woken_while_it_is_open(outage) -> None:
    assert wake() == 0


def test_a_message_that_was_parked_just_as_the_breaker_closed_is_woken(outage) -> None:
    ChannelState.objects.all().delete()

    assert wake() == 1


# ── It is seen ──────────────────────────────────────────────────────────────────────────────
def test_the_health_pages_name_the_channel_and_its_reason(
    outage, client: Client, settings: Any
) -> None:
    settings.TANDEM_LOCAL = False  # a young local shop would only say that it starts
    ChannelState.objects.update(opened_at=Now() - timedelta(seconds=90))

    answer = client.get("/readyz").json()

    assert answer["status"] == "degraded"
    assert "refused" in answer["checks"]["channel:email"]
    found = re.search(r"\(for (\d+) s\)", answer["checks"]["channel:email"])
    assert found
    assert 90 <= int(found[1]) < 120, "the page itself may take its time"
    assert 'tandem_up{service="channel:email"} 0.0' in client.get("/metrics").content.decode()


def test_the_desk_says_so_where_messages_are_listed(outage, admin_client: Client) -> None:
    page = admin_client.get("/admin/notifications/notification/").content.decode()

    assert "E-mail isn&#x27;t working, so its messages wait" in page


def test_an_operator_may_try_at_once(outage, admin_client: Client) -> None:
    url = "/admin/notifications/channelstate/"

    page = admin_client.post(url, {"action": "try_now", "_selected_action": "email"}, follow=True)

    assert "The next message tries at once." in page.content.decode()
    assert wake() == 1


# ── Constraints ─────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("values", [{"openings": 0}, {"open_until": None}, {"opened_at": None}])
def test_the_database_refuses_a_breaker_that_is_half_open_and_half_closed(outage, values) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        ChannelState.objects.update(**values)


# ── A provider that says what is wrong, or when to come again ───────────────────────────────
SMS = "sms:127.0.0.1"


def seconds_parked(message: Notification) -> float:
    assert is_parked(message)
    return seconds_open(SMS)


@pytest.mark.parametrize("status", [429, 503])
def test_one_answer_that_says_when_to_come_again_parks_the_channel_until_then(
    queued, gateway, status: int
) -> None:
    gateway.answers, gateway.headers = [status, 200, 200], {"Retry-After": "600"}

    first, second = run(queued("sms")), run(queued("sms"))

    assert (first.attempts, second.attempts, len(gateway.asked)) == (0, 0, 1)
    assert 590 < seconds_parked(first) <= 600
    assert wake() == 0, "nobody goes on before its time"
    end_pause()
    assert wake() == 1
    for message in (first, second):
        make_due(message)
    assert run(first).status == Status.DONE
    assert ChannelState.objects.get(gateway=SMS).openings == 0
    assert wake() == 1
    assert run(second).status == Status.DONE


def test_control_without_that_word_the_first_answer_parks_nothing(queued, gateway) -> None:
    gateway.answers = [503]

    message = run(queued("sms"))

    assert (message.attempts, is_parked(message)) == (1, False)


def test_another_gateway_is_not_asked_to_wait_with_it(queued, gateway) -> None:
    gateway.answers, gateway.headers = [503], {"Retry-After": "600"}

    run(queued("sms"))

    breaker.admit("sms:other.example")
    breaker.admit("email")


def test_a_probe_that_is_sent_away_waits_as_long_as_it_is_told(queued, gateway) -> None:
    gateway.answers, gateway.headers = [503, 503], {"Retry-After": "600"}
    message = run(queued("sms"))
    end_pause()
    gateway.headers = {"Retry-After": "1200"}
    wake()
    make_due(message)

    run(message)

    assert (message.attempts, len(gateway.asked)) == (0, 2)
    assert 1190 < seconds_parked(message) <= 1200


def test_the_longer_of_two_waits_counts(queued, gateway) -> None:
    breaker.failed(SMS, "503", probing=False, retry_after=timedelta(minutes=10))

    assert breaker.failed(SMS, "503", probing=False, retry_after=timedelta(minutes=20))
    assert breaker.failed(SMS, "503", probing=False, retry_after=timedelta(minutes=1))

    assert 1190 < seconds_open(SMS) <= 1200


def test_no_wait_is_shorter_than_the_relays_second(queued) -> None:
    breaker.failed(SMS, "503", probing=False, retry_after=timedelta(0))

    assert 0 < seconds_open(SMS) <= 1


@pytest.mark.parametrize("status", [302, 401, 402, 403, 404, 405])
def test_what_speaks_of_us_fails_no_message_however_long_it_lasts(
    queued, gateway, status: int
) -> None:
    messages = [queued("sms") for _ in range(3)]
    gateway.answers = [status] * 100

    for _round in range(3 * MAX_ATTEMPTS):
        end_pause()
        wake()
        for message in messages:
            make_due(message)
            run(message)

    assert {(message.status, message.attempts) for message in messages} == {(Status.QUEUED, 0)}
    said = report_channels().checks["channel:sms"]
    assert f"({status} " in said
    gateway.answers = [200] * 10
    end_pause()
    wake()
    make_due(messages[0])
    assert run(messages[0]).status == Status.DONE


def test_the_desk_says_in_the_readers_language_what_is_wrong_with_us(
    queued, gateway, admin_client: Client
) -> None:
    gateway.answers, gateway.answer_body = [401], b"bad key"
    run(queued("sms"))
    path = "/admin/notifications/channelstate/"

    english = admin_client.get(path).content.decode()
    chinese = admin_client.get(path, headers={"Accept-Language": "zh-hans"}).content.decode()

    assert "refuses our key (401 bad key)" in english
    assert "refuses our key" not in chinese
    assert "(401 bad key)" in chinese
