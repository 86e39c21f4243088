"""The SMS channel against a real HTTP server that answers as each test says."""

import time
from base64 import b64decode
from datetime import timedelta
from uuid import UUID

import pytest
from django.conf import settings as current

from notifications.channels import http_sms as channel
from notifications.channels.deadline import Deadline
from notifications.channels.message import (
    Message,
    NoAnswerError,
    ProviderDownError,
    RefusesUsError,
)
from project.conf.sms_success import sms_success
from project.jobs.errors import PermanentError, TransientError
from project.local.data_folder import free_port
from tests.notifications.gateway import Gateway

MESSAGE = Message(
    id=UUID("0d9f6a52-9a1c-4d2f-8a55-6b1f4e1f3a10"), recipient="+4915112345678", text="Grüße 你好"
)


def send(*, seconds: float = 5):
    return channel.send(MESSAGE, url=current.SMS_URL, deadline=Deadline(seconds))


def test_the_gateway_gets_recipient_text_and_key_as_json(gateway):
    gateway.answers = [201]

    receipt = send()

    [asked] = gateway.asked
    assert asked.path == "/v1/send?from=Tandem"
    assert asked.body == {"to": "+4915112345678", "text": "Grüße 你好"}
    assert asked.headers["Idempotency-Key"] == str(MESSAGE.id)
    assert asked.headers["Content-Type"] == "application/json"
    assert receipt.provider_id == "sms-1"


def test_every_attempt_has_the_same_key(gateway):
    gateway.answers = [503, 201]

    with pytest.raises(TransientError):
        send()
    send()

    first, second = gateway.asked
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_a_gateway_in_trouble_is_transient_with_its_words(gateway, status):
    gateway.answers, gateway.answer_body = [status], b"try again"

    with pytest.raises(TransientError, match=f"{status} try again") as caught:
        send()
    assert not isinstance(caught.value, NoAnswerError)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refusal_is_permanent_with_the_gateways_words(gateway, status):
    gateway.answers, gateway.answer_body = [status], b'{"error": "unknown number"}'

    with pytest.raises(PermanentError, match=f"{status} .*unknown number"):
        send()


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (301, "wrong address"),
        (302, "wrong address"),
        (308, "wrong address"),
        (401, "refuses our key"),
        (402, "wants to be paid first"),
        (403, "refuses us"),
        (404, "wrong address"),
        (405, "wrong address"),
        (407, "a proxy"),
        (410, "wrong address"),
        (415, "refuses our kind of request"),
    ],
)
def test_what_speaks_of_us_is_a_provider_that_is_down_in_clear_words(gateway, status, says):
    gateway.answers, gateway.answer_body = [status], b"no"

    with pytest.raises(RefusesUsError, match=rf"{says}.* \({status} no\)"):
        send()


# ── When to come again ──────────────────────────────────────────────────────────────────────
NOON = "Sat, 28 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120),
        ({"Retry-After": " 7 "}, 7),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "99999999999999999999"}, 3600),
        ({"Retry-After": "Sat, 28 Nov 2026 12:00:30 GMT", "Date": NOON}, 30),
        ({"Retry-After": "Sat, 28 Nov 2026 13:00:30 +0100", "Date": NOON}, 30),
        ({"Retry-After": "Saturday, 28-Nov-26 12:00:30 GMT", "Date": NOON}, 30),
        ({"Retry-After": "Fri, 27 Nov 2026 12:00:00 GMT", "Date": NOON}, 0),
        ({"Retry-After": "Mon, 01 Jan 2035 00:00:00 GMT"}, 3600),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "1.5"}, None),
        ({"Retry-After": "Sat, 99 Foo 99999999999999999999 12:00:00 GMT"}, None),
        ({}, None),
    ],
)
def test_a_gateway_may_say_when_to_come_again(gateway, status, headers, seconds):
    gateway.answers, gateway.headers = [status], headers

    with pytest.raises(ProviderDownError) as caught:
        send()

    after = caught.value.retry_after
    assert after == (None if seconds is None else timedelta(seconds=seconds))


def test_what_another_status_says_of_coming_again_is_not_heard(gateway):
    gateway.answers, gateway.headers = [500], {"Retry-After": "3600"}

    with pytest.raises(ProviderDownError) as caught:
        send()
    assert caught.value.retry_after is None


# ── What a 200 means ────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("rule", "body", "provider_id"),
    [
        ("code=0|OK", b'{"code": 0, "id": 4711}', "4711"),
        ("code=0|OK", b'{"code": "OK", "id": "a"}', "a"),
        ("ok=true", b'{"ok": true}', ""),
        ("error=null", b'{"error": null}', ""),
        ("messages.0.status=0", b'{"messages": [{"status": "0"}]}', ""),
        ("data.state=all%20right", b'{"data": {"state": "all right"}}', ""),
        ("127.0.0.1:code=0", b'{"code": 0}', ""),
        ("other.example:code=0", b'{"code": 7}', ""),
    ],
)
def test_a_200_that_says_yes_where_the_setting_looks_is_an_acceptance(
    gateway, settings, rule, body, provider_id
):
    settings.SMS_SUCCESS = sms_success("SMS_SUCCESS", rule)
    gateway.answers, gateway.answer_body = [200], body

    assert send().provider_id == provider_id


@pytest.mark.parametrize("body", [b'{"code": 7, "text": "no credit"}', b'{"code": false}'])
def test_a_200_with_an_error_inside_is_a_refusal_in_the_gateways_words(gateway, settings, body):
    settings.SMS_SUCCESS = sms_success("SMS_SUCCESS", "code=0|OK")
    gateway.answers, gateway.answer_body = [200], body

    with pytest.raises(PermanentError, match=r"200 .*code"):
        send()


@pytest.mark.parametrize(
    "body", [b"", b"<html>Sign in</html>", b'{"code"', b"[]", b'{"code": {}}', b"[" * 30_000]
)
def test_a_200_that_says_nothing_where_the_setting_looks_leaves_doubt(gateway, settings, body):
    settings.SMS_SUCCESS = sms_success("SMS_SUCCESS", "code=0|OK")
    gateway.answers, gateway.answer_body = [200], body

    with pytest.raises(NoAnswerError, match="no code in its answer"):
        send()


@pytest.mark.parametrize("status", [502, 504, 520, 524])
def test_an_answer_lost_behind_a_proxy_leaves_doubt(gateway, status):
    gateway.answers = [status]

    with pytest.raises(NoAnswerError, match=str(status)):
        send()


@pytest.mark.parametrize(
    ("status", "chunks", "kept"),
    [
        (200, b'B\r\n{"id": "a"}\r\nzz\r\n', '200 {"id": "a"}'),
        (200, b'-5\r\n{"id": "a"}\r\n0\r\n\r\n', "200 OK"),
        (400, b"E\r\nunknown number\r\n", "400 unknown number"),
        (400, b"-5\r\nunknown number\r\n", "400 Bad Request"),
    ],
)
def test_a_body_that_breaks_off_leaves_the_status_as_it_is(gateway, status, chunks, kept):
    gateway.protocol = "HTTP/1.1"
    gateway.headers = {"Transfer-Encoding": "chunked", "Connection": "close"}
    gateway.answers, gateway.answer_body = [status], chunks

    if status == 200:
        assert send().answer == kept
    else:
        with pytest.raises(PermanentError) as caught:
            send()
        assert str(caught.value) == kept


@pytest.mark.parametrize("interim", [[100], [102], [103], [102, 102, 103, 100]])
def test_what_counts_is_the_answer_behind_the_interim_ones(gateway, interim):
    gateway.protocol, gateway.interim, gateway.answers = "HTTP/1.1", interim, [201, 422]

    assert send().provider_id == "sms-1"
    with pytest.raises(PermanentError, match="422"):
        send()


def test_an_interim_answer_alone_leaves_doubt(gateway):
    gateway.protocol, gateway.interim = "HTTP/1.1", [103]
    gateway.answers = [Gateway.DISCONNECT]

    with pytest.raises(NoAnswerError):
        send()


def test_a_repeat_that_meets_its_first_request_leaves_doubt(gateway):
    gateway.answers = [409]

    with pytest.raises(NoAnswerError, match="409"):
        send()


def test_a_conflict_at_a_gateway_without_keys_is_about_the_message(gateway, settings):
    gateway.answers = [409]
    settings.SMS_URL += "#no-keys"

    with pytest.raises(PermanentError, match="409"):
        send()


@pytest.mark.parametrize("body", [b"", b"OK", b"[]", b'{"id": null}'])
def test_an_acceptance_counts_even_if_it_names_no_id(gateway, body):
    gateway.answers, gateway.answer_body = [200], body

    assert send().provider_id == ""


def test_a_refused_connection_is_plainly_transient(settings):
    settings.SMS_URL = f"http://127.0.0.1:{free_port()}/sms"

    with pytest.raises(TransientError, match="refused") as caught:
        send()
    assert not isinstance(caught.value, NoAnswerError)


def test_a_connection_dropped_after_the_request_leaves_doubt(gateway):
    gateway.answers = [Gateway.DISCONNECT]

    with pytest.raises(NoAnswerError):
        send()
    assert len(gateway.asked) == 1


def test_silence_after_the_request_leaves_doubt_and_ends_in_time(gateway):
    gateway.answers = [Gateway.SILENCE]
    began = time.monotonic()

    with pytest.raises(NoAnswerError, match="timed out"):
        send(seconds=0.5)
    assert time.monotonic() - began < 8


def test_a_time_that_is_already_over_asks_nobody(gateway):
    with pytest.raises(TransientError):
        send(seconds=0)
    assert gateway.asked == []


def test_credentials_in_the_url_are_sent_as_basic_authentication(gateway, settings):
    settings.SMS_URL = f"http://shop:p%40ss@127.0.0.1:{gateway.port}/sms"
    gateway.answers = [401]

    with pytest.raises(RefusesUsError) as caught:
        send()

    scheme, secret = gateway.asked[0].headers["Authorization"].split()
    assert (scheme, b64decode(secret)) == ("Basic", b"shop:p@ss")
    assert "p@ss" not in str(caught.value)


def test_a_gateway_without_keys_is_known_by_its_url():
    assert channel.repeats_are_safe("https://gateway.example/sms")
    assert not channel.repeats_are_safe("https://gateway.example/sms#no-keys")
