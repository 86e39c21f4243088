import json
import re
import traceback
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError
from django.db.models.functions import Now

from notifications import staff
from notifications.models import Notification, WebhookDelivery, WebhookEndpoint
from notifications.models.webhook_pauses import ATTEMPTS, LONGEST_REST, PAUSES, rest_after
from notifications.outbox import Staff
from notifications.webhooks import handler, sending, switches, wellbeing
from notifications.webhooks.admission import admit
from notifications.webhooks.attempts import read_attempts
from notifications.webhooks.handler import WebhookHandler
from notifications.webhooks.kinds import KINDS, EndpointKind, register_kind
from notifications.webhooks.sending import send
from project.jobs.dispatch import ring
from project.jobs.errors import JobError
from project.jobs.handler import handler_of
from project.jobs.queryset import Status
from project.jobs.run import run_job
from project.text import clean
from tests.notifications.webhooks.receiver import Receiver, attempt, endpoint_at, happened, let_go

HOUR = timedelta(hours=1)


def due(delivery: WebhookDelivery) -> WebhookDelivery:
    WebhookDelivery.objects.filter(pk=delivery.pk).update(run_after=Now())
    return delivery


# ── What is sent ────────────────────────────────────────────────────────────────────────────
def test_a_delivery_is_sent_and_noted(endpoint, receiver):
    [delivery] = happened()

    delivery = attempt(delivery)

    [came] = receiver.came
    assert came.path == "/hooks?shop=1"
    assert came.headers["content-type"] == "application/json"
    assert json.loads(came.body) == delivery.context
    assert (delivery.status, delivery.answer_status) == (Status.DONE, 200)
    assert delivery.result == {"answer": "200 thanks", "status": 200}


def test_each_copy_has_the_same_id_and_the_same_bytes(endpoint, receiver):
    receiver.answers = [500, 200]
    delivery = attempt(happened()[0])
    WebhookDelivery.objects.update(context={})

    attempt(due(delivery))

    first, second = receiver.came
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == str(delivery.pk)


def test_a_replay_has_the_same_id_and_the_same_bytes(endpoint, receiver):
    delivery = attempt(happened()[0])

    assert WebhookDelivery.objects.replay() == 1
    assert let_go() == [delivery.pk]
    attempt(delivery)

    assert len({(came.headers["webhook-id"], came.body) for came in receiver.came}) == 1
    assert len(receiver.came) == 2


def test_one_that_overtook_says_so(endpoint, receiver):
    earlier = uuid4()
    [delivery] = happened()
    WebhookDelivery.objects.update(overtook=earlier)

    attempt(delivery)

    assert receiver.came[0].headers["webhook-overtakes"] == str(earlier)


def test_another_kind_of_endpoint_makes_its_own_payload_and_signature(endpoint, receiver, request):
    request.addfinalizer(lambda: KINDS.pop("other"))
    register_kind(
        "other",
        EndpointKind(
            payload=lambda delivery: {"told": delivery.kind},
            sign=lambda endpoint, asked, now: asked.headers.update({"X-Signed": "yes"}),
        ),
    )
    WebhookEndpoint.objects.update(kind="other")

    attempt(happened()[0])

    [came] = receiver.came
    assert json.loads(came.body) == {"told": "order.placed"}
    assert came.headers["x-signed"] == "yes"
    assert "webhook-signature" not in came.headers


def test_the_log_masks_signatures(endpoint, receiver):
    delivery = attempt(happened()[0])

    [entry] = read_attempts(delivery)
    signature = receiver.came[0].headers["webhook-signature"]
    assert (entry.status, entry.words, entry.url) == (200, "200 thanks", receiver.url)
    assert dict(entry.headers)["webhook-signature"] == f"{signature[:7]}…"
    assert signature not in json.dumps(delivery.attempts_log)


def test_attempts_after_a_replay_are_numbered_on(endpoint, receiver):
    receiver.answers = [500, 200, 500, 200]
    [delivery] = happened()
    attempt(delivery)
    attempt(due(delivery))

    WebhookDelivery.objects.replay()
    WebhookEndpoint.objects.update(status="paused")
    attempt(due(delivery))
    WebhookEndpoint.objects.update(status="active")
    attempt(due(delivery))
    delivery = attempt(due(delivery))

    numbers = [(entry.number, entry.status) for entry in read_attempts(delivery)]
    assert numbers == [(1, 500), (2, 200), (3, None), (3, 500), (4, 200)]
    assert delivery.attempts == 2, "a replay has all its attempts"


def test_a_replay_to_an_endpoint_that_is_off_stays_as_it_is(endpoint, receiver):
    delivery = attempt(happened()[0])
    WebhookEndpoint.objects.update(status="off")

    assert WebhookDelivery.objects.replay() == 0
    delivery.refresh_from_db()
    assert delivery.status == Status.DONE


# ── What is refused ─────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 500])
def test_what_isnt_taken_is_tried_again_and_no_redirect_is_followed(endpoint, receiver, status):
    receiver.answers, receiver.headers = [status], {"Location": receiver.url}

    delivery = attempt(happened()[0])

    assert len(receiver.came) == 1
    assert (delivery.status, delivery.answer_status) == (Status.QUEUED, status)
    endpoint.refresh_from_db()
    assert endpoint.failures == 0, "it answers"


def test_after_the_last_attempt_it_has_failed(endpoint, receiver):
    receiver.answers = [500] * ATTEMPTS
    [delivery] = happened()

    for _attempt in range(ATTEMPTS - 1):
        assert attempt(due(delivery)).status == Status.QUEUED
    assert attempt(due(delivery)).status == Status.FAILED
    assert [entry.number for entry in read_attempts(delivery)] == list(range(1, ATTEMPTS + 1))


def test_the_pauses_last_seventy_five_hours():
    assert timedelta(hours=75) <= sum(PAUSES, timedelta()) < timedelta(hours=76)
    assert list(PAUSES) == sorted(PAUSES)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed_by_the_delivery_and_the_endpoint(endpoint, receiver, status):
    receiver.answers, receiver.headers = [status], {"Retry-After": "7200"}

    delivery = attempt(happened(2)[0])

    assert delivery.started_at
    assert delivery.run_after - delivery.started_at >= 2 * HOUR
    endpoint.refresh_from_db()
    assert endpoint.resting_until - delivery.started_at >= 2 * HOUR
    assert let_go() == [], "no other delivery either"


def test_an_endpoint_that_is_gone_is_switched_off_and_the_staff_are_told(
    endpoint, receiver, monkeypatch
):
    monkeypatch.setattr(staff, "_known", [lambda: [Staff("boss@example.org", "en")]])
    receiver.answers = [410]
    first, *others = happened(3)

    attempt(first)

    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.status_reason) == (WebhookEndpoint.Status.OFF, "410 thanks")
    assert first.status == Status.FAILED
    for delivery in others:
        delivery.refresh_from_db()
        assert (delivery.status, delivery.error) == (Status.CANCELLED, "410 thanks")
    [message] = Notification.objects.all()
    assert (message.event, message.recipient) == ("webhook_switched_off", "boss@example.org")
    assert len(happened()) == 3, "it gets no more"


# ── Silence ─────────────────────────────────────────────────────────────────────────────────
def test_an_endpoint_that_refuses_is_noted_until_it_takes_one(endpoint, receiver):
    receiver.answers = [500, 302, 200]
    first, second, third = happened(3)

    attempt(first)
    endpoint.refresh_from_db()
    since = endpoint.refusing_since
    attempt(second)
    endpoint.refresh_from_db()

    assert (endpoint.refusals, endpoint.refusing_since) == (2, since)
    assert (endpoint.refusal, endpoint.failures) == ("302 thanks", 0)
    attempt(third)
    endpoint.refresh_from_db()
    assert (endpoint.refusals, endpoint.refusing_since, endpoint.refusal) == (0, None, "")


def test_a_yes_counts_even_if_its_process_didnt_know_of_the_refusal(endpoint):
    WebhookEndpoint.objects.update(refusals=1, refusing_since=Now(), refusal="500")

    wellbeing.note_taken(endpoint)

    endpoint.refresh_from_db()
    assert endpoint.refusals == 0


@pytest.mark.parametrize("wrong", [{"refusals": 1}, {"refusing_since": Now()}])
def test_refusals_have_a_begin(endpoint, wrong):
    with pytest.raises(IntegrityError, match="refuses_since_some_time"):
        WebhookEndpoint.objects.update(**wrong)


def test_an_endpoint_that_doesnt_answer_rests(endpoint, receiver, monkeypatch):
    monkeypatch.setattr(sending, "SECONDS", 0.2)
    receiver.answers = [Receiver.SILENCE]

    delivery = attempt(happened(5)[0])

    endpoint.refresh_from_db()
    assert (endpoint.failures, delivery.answer_status) == (1, None)
    assert "no answer" in endpoint.error
    assert let_go() == []


def test_the_rests_grow_to_a_limit():
    rests = [rest_after(failures) for failures in range(1, 40)]

    assert rests == sorted(rests)
    assert (rests[0], rests[-1]) == (timedelta(seconds=1), LONGEST_REST)


def test_what_was_let_go_before_the_silence_isnt_sent(endpoint, receiver):
    _first, second = happened(2)
    let_go()
    WebhookEndpoint.objects.update(failures=1, failing_since=Now(), resting_until=Now() + HOUR)

    second = attempt(second)

    assert receiver.came == []
    assert (second.status, second.attempts) == (Status.QUEUED, 0)


def test_the_first_answer_after_a_silence_wakes_what_it_kept_waiting(endpoint, receiver):
    first, second, third = happened(3)
    WebhookEndpoint.objects.update(failures=3, failing_since=Now(), resting_until=Now())
    WebhookDelivery.objects.filter(pk=first.pk).update(attempts=3, run_after=Now() + HOUR)
    WebhookDelivery.objects.filter(pk=third.pk).update(answer_status=500, run_after=Now() + HOUR)

    attempt(second)

    endpoint.refresh_from_db()
    assert (endpoint.failures, endpoint.failing_since, endpoint.error) == (0, None, "")
    assert let_go() == [first.pk], "what was refused keeps its pause"


@pytest.mark.parametrize("signature", ["standard", "rfc9421"])
@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://example.org:99999/", "Port out of range"),
        ("https://[fe80::1/", "Invalid IPv6 URL"),
        ("https:///hooks", "no host"),
        (f"https://{'a' * 64}.example/", "can't be used|no host name"),
    ],
)
def test_an_address_that_no_connection_can_have_fails_the_attempt(
    endpoint, receiver, url, reason, signature
):
    WebhookEndpoint.objects.update(url=url, signature=signature)

    delivery = attempt(happened()[0])

    endpoint.refresh_from_db()
    assert (delivery.status, delivery.attempts) == (Status.QUEUED, 1)
    assert re.search(reason, delivery.error)
    assert (endpoint.failures, endpoint.error) == (1, delivery.error)


def test_an_endless_answer_is_read_up_to_a_limit(endpoint, receiver):
    receiver.answer_body = b"x" * 1_000_000

    delivery = attempt(happened()[0])

    assert delivery.status == Status.DONE
    assert len(json.dumps(delivery.attempts_log)) < 2000


@pytest.mark.parametrize("status", [200, 500, 503, 410])
def test_what_no_row_can_store_of_an_answer_reaches_neither_result_nor_error(
    endpoint, receiver, status
):
    """Celery stores the result, or the error with its traceback, in a row of its own."""
    receiver.answers, receiver.answer_body = [status], b"a\x00b\x1b[31m\xe2\x80\xaec\xed\xa0\x80"
    [delivery] = happened()

    try:
        words = run_job(WebhookDelivery, delivery.pk)["answer"]
    except JobError as error:
        words = str(error)
        frames = "".join(traceback.format_exception(error))
        assert "\x00" not in frames

    assert words == clean(words)
    assert words.startswith(f"{status} ab[31mc")


def test_a_secret_that_cant_be_read_is_said_and_nothing_is_sent(endpoint, receiver, settings):
    settings.SECRET_KEY = "another" * 10

    delivery = attempt(happened()[0])

    assert receiver.came == []
    assert "SECRET_KEY was replaced" in delivery.error


# ── In one thread ───────────────────────────────────────────────────────────────────────────
def test_a_worker_goes_on_with_the_endpoints_next_deliveries(endpoint, receiver):
    found = happened(5)
    first, _second = let_go()
    attempt(WebhookDelivery.objects.get(pk=first))

    handler_of(WebhookDelivery).after_attempt(first)

    sent = [came.headers["webhook-id"] for came in receiver.came]
    assert sent == [str(found[0].pk), *(str(each.pk) for each in found[2:])]


def test_it_stops_at_the_first_that_isnt_taken(endpoint, receiver):
    receiver.answers = [200, 500]
    happened(5)
    first, _second = let_go()
    attempt(WebhookDelivery.objects.get(pk=first))

    WebhookHandler().after_attempt(first)

    assert len(receiver.came) == 2


def test_another_endpoint_isnt_touched_by_one_that_is_silent(endpoint, receiver, monkeypatch):
    monkeypatch.setattr(sending, "SECONDS", 0.2)
    receiver.answers = [Receiver.SILENCE]
    attempt(happened(50)[0])
    well = endpoint_at(receiver.url, name="well")
    happened()

    rung = ring(WebhookDelivery)

    [going] = WebhookDelivery.objects.filter(pk__in=rung)
    assert going.endpoint == well
    assert admit() == []


@pytest.mark.parametrize("answer", [500, 503])
def test_what_comes_back_to_an_endpoint_that_was_switched_off_meanwhile_is_cancelled(
    endpoint, receiver, monkeypatch, answer
):
    [delivery] = happened()
    receiver.answers = [answer]

    def sent_while_it_is_switched_off(request):
        outcome = send(request)
        switches.switch_off(WebhookEndpoint.objects.filter(pk=endpoint.pk), reason="Moved")
        return outcome

    monkeypatch.setattr(handler, "send", sent_while_it_is_switched_off)

    attempt(delivery)
    handler_of(WebhookDelivery).after_attempt(delivery.pk)

    delivery.refresh_from_db()
    endpoint.refresh_from_db()
    assert delivery.status == Status.CANCELLED
    assert (endpoint.failures, endpoint.refusals) == (0, 0)
