"""Several SMS gateways: which is asked first, which next, and which must not be asked."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import Error, Warning
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext

from notifications.checks import check_sms
from notifications.delivery import attempt, breaker, parked
from notifications.delivery.gateways import gateways
from notifications.models import ChannelState, Notification
from project.jobs.errors import JobError
from project.jobs.queryset import Status
from project.jobs.run import run_job
from project.local.data_folder import free_port
from tests.notifications.channels.aliyun import AliyunServer
from tests.notifications.gateway import Gateway, serving

A, B = "sms:127.0.0.1", "sms:localhost"
TEMPLATES = (
    '{"order_placed": {"en": "1", "zh-hans": "2"}, "order_shipped": {"en": "3", "zh-hans": "4"},'
    ' "order_cancelled": {"en": "5", "zh-hans": "6"},'
    ' "phone_confirmation": {"en": "7", "zh-hans": "8"}}'
)


@pytest.fixture
def pair(settings: Any) -> Iterator[tuple[Gateway, Gateway]]:
    """Gateway A, and B that is asked when A has refused."""
    a, b = Gateway(), Gateway()
    settings.SMS_URL = f"http://127.0.0.1:{a.port}/a http://localhost:{b.port}/b"
    with serving(a), serving(b):
        yield a, b


def run(message: Notification) -> Notification:
    """Make one attempt; its error is on the row."""
    with suppress(JobError):
        run_job(Notification, message.pk)
    message.refresh_from_db()
    return message


def make_due(message: Notification) -> None:
    """As if the backoff were over."""
    Notification.objects.filter(pk=message.pk).update(run_after=Now() - timedelta(seconds=1))


def names(channel: str = "sms", **options: str) -> list[str]:
    return [gateway.name for gateway in gateways(channel, **options)]


# ── Which there are ─────────────────────────────────────────────────────────────────────────
def test_the_first_gateway_takes_what_it_can(queued, pair) -> None:
    a, b = pair
    a.answers = [201]

    sent = run(queued("sms"))

    assert (sent.status, sent.gateway, b.asked) == (Status.DONE, A, [])


def test_a_name_never_shows_a_secret(settings) -> None:
    settings.SMS_URL = (
        "https://user:s3cret@gateway.example:8443/sms?key=s3cret"
        " aliyun://id:s3cret@dysmsapi.aliyuncs.com?sign=x apprise+messagebird://s3cret/from/{to}"
    )

    assert names() == ["sms:gateway.example", "sms:dysmsapi.aliyuncs.com", "sms:messagebird"]


def test_two_gateways_of_one_host_are_told_apart(settings) -> None:
    settings.SMS_URL = "https://gateway.example/one https://gateway.example/two"

    assert names() == ["sms:gateway.example", "sms:gateway.example-2"]


@pytest.mark.parametrize("between", [",", ";"])
def test_gateways_without_a_space_between_are_an_error(settings, between) -> None:
    settings.SMS_URL = f"https://one.example/sms{between}https://two.example/sms"

    [error] = check_sms()

    assert error.msg == "SMS_URL: write spaces between the URLs of several gateways."


def test_an_event_may_have_an_order_of_its_own(queued, pair, settings) -> None:
    settings.SMS_ORDER = '{"order_placed": ["localhost", "127.0.0.1"]}'
    a, b = pair
    b.answers = [201]

    sent = run(queued("sms"))

    assert (sent.gateway, a.asked) == (B, [])
    assert names(event="order_shipped") == [A, B]


# ── A refuses ───────────────────────────────────────────────────────────────────────────────
def test_what_a_refuses_for_good_b_is_asked_for_at_once(queued, pair) -> None:
    a, b = pair
    a.answers, b.answers = [422], [201]

    sent = run(queued("sms"))

    assert (sent.status, sent.gateway, sent.attempts) == (Status.DONE, B, 1)
    assert not sent.maybe_duplicate
    assert a.asked[0].body == b.asked[0].body
    assert sent.result is not None
    assert sent.result["answer"].startswith("127.0.0.1: 422")
    assert "localhost: 201" in sent.result["answer"], "the log has the words of both"


def test_after_a_slow_refusal_b_is_asked_in_the_next_attempt(queued, pair, monkeypatch) -> None:
    a, b = pair
    a.answers, b.answers = [422], [201]
    monkeypatch.setattr(attempt, "SEND_SECONDS", attempt.SECONDS_FOR_THE_NEXT)
    message = run(queued("sms"))
    assert (message.status, message.gateway, b.asked) == (Status.QUEUED, B, [])
    assert message.error.endswith("localhost will be asked")
    make_due(message)

    assert run(message).status == Status.DONE
    assert (len(a.asked), len(b.asked)) == (1, 1)


def test_what_both_refuse_fails_with_the_words_of_each(queued, pair) -> None:
    a, b = pair
    a.answers, a.answer_body = [422], b"unknown number"
    b.answers, b.answer_body = [400], b"not in this country"

    failed = run(queued("sms"))

    assert failed.status == Status.FAILED
    assert failed.error == "127.0.0.1: 422 unknown number; localhost: 400 not in this country"


def test_a_retry_of_what_both_refused_asks_both_again(queued, pair) -> None:
    a, b = pair
    a.answers, b.answers = [422, 201], [422]
    failed = run(queued("sms"))

    Notification.objects.filter(pk=failed.pk).retry_failed()

    assert run(failed).gateway == A
    assert len(a.asked) == 2


def test_b_keeps_what_it_has_when_it_is_in_trouble(queued, pair) -> None:
    a, b = pair
    a.answers, b.answers = [422], [503, 201]
    message = run(queued("sms"))
    assert (message.status, message.gateway) == (Status.QUEUED, B)
    make_due(message)

    assert run(message).status == Status.DONE
    assert len(a.asked) == 1, "A has said no"


def test_a_gateway_without_template_for_an_event_leaves_it_to_the_next(queued, settings) -> None:
    aliyun, other = AliyunServer(), Gateway()
    settings.SMS_URL = f"{aliyun.url} http://localhost:{other.port}/sms"
    settings.SMS_TEMPLATES = "{}"
    other.answers = [201]

    with serving(aliyun), serving(other):
        sent = run(queued("sms"))

    assert (sent.status, sent.gateway, aliyun.asked) == (Status.DONE, B, [])


# ── A does not refuse ───────────────────────────────────────────────────────────────────────
def test_a_transient_failure_stays_with_a(queued, pair) -> None:
    a, b = pair
    a.answers = [503]

    message = run(queued("sms"))

    assert (message.status, message.gateway, b.asked) == (Status.QUEUED, A, [])


def test_while_a_is_down_its_messages_wait_for_it(queued, pair) -> None:
    a, b = pair
    a.answers = [503] * breaker.FAILURES_TO_OPEN
    for _message in range(breaker.FAILURES_TO_OPEN):
        run(queued("sms"))

    message = run(queued("sms"))

    assert (message.attempts, message.gateway) == (0, A)
    assert Notification.objects.parked().filter(pk=message.pk).exists()
    assert b.asked == []


@pytest.mark.parametrize("fragment", ["", "#no-keys"])
def test_doubt_at_a_never_goes_to_b(queued, pair, settings, fragment) -> None:
    a, b = pair
    first, second = settings.SMS_URL.split()
    settings.SMS_URL = f"{first}{fragment} {second}"
    a.answers = [Gateway.DISCONNECT, 422]
    message = run(queued("sms"))
    Notification.objects.filter(pk=message.pk).send_again()
    make_due(message)

    message = run(message)

    assert (message.status, message.maybe_duplicate) == (Status.FAILED, True)
    assert b.asked == [], "B couldn't know it for a copy"


def test_control_without_the_mark_of_doubt_b_makes_a_second_copy(queued, pair) -> None:
    a, b = pair
    a.answers, b.answers = [Gateway.DISCONNECT, 422], [201]
    message = run(queued("sms"))
    make_due(message)
    Notification.objects.update(maybe_duplicate=False)

    run(message)

    assert (len(a.asked), len(b.asked)) == (2, 1)


def test_who_died_with_b_is_judged_by_b(queued, pair, settings) -> None:
    a, b = pair
    settings.SMS_URL += "#no-keys"
    a.answers, b.answers = [422], [503]
    message = run(queued("sms"))
    make_due(message)
    assert Notification.objects.claim(message.pk)
    Notification.objects.update(lease_until=Now() - timedelta(seconds=1))

    assert run(message).status == Status.UNKNOWN
    assert (len(a.asked), len(b.asked)) == (1, 1)


def test_the_move_to_b_is_written_before_b_is_asked(queued, pair, monkeypatch) -> None:
    a, b = pair
    a.answers, b.answers = [422], [201]
    message = queued("sms")
    written: list[str] = []
    hand_over = attempt.hand_over

    def noted(notification: Notification, *args: Any, **options: Any) -> Any:
        written.append(Notification.objects.get(pk=notification.pk).gateway)
        return hand_over(notification, *args, **options)

    monkeypatch.setattr(attempt, "hand_over", noted)

    run(message)

    assert written == [A, B]


def test_doubt_about_a_gateway_that_is_gone_waits_for_a_person(queued, pair, settings) -> None:
    a, b = pair
    a.answers = [Gateway.DISCONNECT]
    message = run(queued("sms"))
    assert message.status == Status.QUEUED
    assert Notification.objects.claim(message.pk) is None
    make_due(message)
    assert Notification.objects.claim(message.pk)
    Notification.objects.update(lease_until=Now() - timedelta(seconds=1))
    settings.SMS_URL = settings.SMS_URL.split()[1]

    assert run(message).status == Status.UNKNOWN
    assert b.asked == []


def test_a_second_gateway_costs_no_statement_while_it_is_not_needed(queued, pair, settings) -> None:
    a, _b = pair
    a.answers = [201, 201]
    with CaptureQueriesContext(connection) as with_two:
        run(queued("sms"))
    settings.SMS_URL = settings.SMS_URL.split()[0]

    with CaptureQueriesContext(connection) as with_one:
        run(queued("sms"))

    assert len(with_two) == len(with_one)


# ── Breaker and health ──────────────────────────────────────────────────────────────────────
def test_each_gateway_has_a_breaker_of_its_own(queued, pair) -> None:
    a, _b = pair
    a.answers = [503] * breaker.FAILURES_TO_OPEN
    for _message in range(breaker.FAILURES_TO_OPEN):
        run(queued("sms"))

    assert [state.gateway for state in ChannelState.objects.filter(openings__gt=0)] == [A]
    assert not breaker.admit(B)
    said = parked.report_channels().checks["channel:sms"]
    assert said.startswith("127.0.0.1: 503")


def test_the_desk_names_channel_and_host(pair, admin_client: Client) -> None:
    breaker.failed(A, "503 overloaded", probing=True)

    page = admin_client.get("/admin/notifications/channelstate/").content.decode()

    assert "SMS by 127.0.0.1" in page


# ── manage.py check ─────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("gateway.example/sms", "begin each gateway's URL with one of http://"),
        ("ftp://gateway.example/", "begin each gateway's URL with one of http://"),
        ("https:///sms", "names no host"),
        ("https://gateway.example:port/", "no readable host and port"),
        ("aliyun://dysmsapi.aliyuncs.com?sign=x", "needs KEYID:SECRET@"),
        ("aliyun://id:s3cret@dysmsapi.aliyuncs.com", "needs ?sign="),
        ("apprise+twilio://sid:s3cret@15550100", "needs {to}"),
        ("https://gateway.example/sms apprise+twilio://sid/{to}", "doesn't understand the URL"),
    ],
)
@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_the_check_says_what_is_wrong_with_a_url(settings, url, complaint) -> None:
    settings.SMS_URL = url

    found = [said for said in check_sms() if isinstance(said, Error)]

    assert [complaint in said.msg for said in found] == [True]
    assert "s3cret" not in found[0].msg


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://gateway.example/sms#no-keys",
        "http://127.0.0.1:8025/sms https://user:pass@gateway.example/sms",
        "aliyun://id:secret@dysmsapi.aliyuncs.com?sign=%E8%8C%B6",
        "apprise+json://gateway.example/{to}",
    ],
)
@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_the_check_has_nothing_to_say_of_good_urls(settings, url) -> None:
    settings.SMS_URL, settings.SMS_TEMPLATES = url, TEMPLATES

    assert check_sms() == []


def test_the_check_names_events_without_template_where_they_are_needed(settings) -> None:
    settings.SMS_URL = "aliyun://id:secret@dysmsapi.aliyuncs.com?sign=x"
    settings.SMS_TEMPLATES = TEMPLATES.replace("order_shipped", "order_paid")

    [said] = check_sms()

    assert isinstance(said, Warning)
    assert "lacks order_shipped (en), order_shipped (zh-hans)" in said.msg


@pytest.mark.parametrize(
    "value", ["{", "/nowhere/templates.json", "[]", '{"order_placed": "SMS_1"}']
)
def test_the_check_says_what_is_wrong_with_the_templates(settings, value) -> None:
    settings.SMS_TEMPLATES = value

    [said] = check_sms()

    assert "SMS_TEMPLATES" in said.msg


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("{", "isn't JSON"),
        ('{"order_placed": "gateway.example"}', "must be like"),
        ('{"order_placed": ["other.example"]}', "names other.example, which isn't in SMS_URL"),
        ('{"order_paid": ["gateway.example"]}', "order_paid has no SMS"),
    ],
)
def test_the_check_says_what_is_wrong_with_an_order(settings, value, complaint) -> None:
    settings.SMS_URL, settings.SMS_ORDER = "https://gateway.example/", value

    [said] = check_sms()

    assert complaint in said.msg


def test_a_bad_url_holds_its_messages_up_with_the_same_words(queued, settings) -> None:
    settings.SMS_URL = f"sms://127.0.0.1:{free_port()}"

    waiting = run(queued("sms"))

    assert waiting.status == Status.QUEUED
    assert "begin each gateway's URL with one of" in waiting.error
