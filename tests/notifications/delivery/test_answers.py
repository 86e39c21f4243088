"""Whatever the other side answers, it can't break the record of what became of the message."""

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError
from django.db.models.functions import Now

from notifications.channels import http_sms
from notifications.channels.message import NoAnswerError, Receipt
from notifications.delivery import breaker, gateways
from notifications.delivery.log import read_attempts
from notifications.handler import NotificationHandler
from notifications.models import ChannelState, Notification
from project.jobs import queryset
from project.jobs.dispatch import bury
from project.jobs.errors import JobError, UnknownOutcomeError
from project.jobs.queryset import JobQuerySet, Status
from project.jobs.run import run_job
from project.text import clean

pytestmark = pytest.mark.django_db

NASTY = {
    "a NUL": b'{"id": "a\\u0000b", "text": "x\\u0000y"}\x00',
    "half a pair": b'{"id": "a\\ud800b"} \xed\xa0\x80',
    "controls": b'{"id": "a\\u001b[31m\\u0007b"}\x1b[2J\x07\x9b',
    "turned around": '{"id": "a\u202eb"}'.encode(),
    "nested": b"[" * 30_000 + b"]" * 30_000,
    "nested, in an object": b'{"id": ' + b"[" * 30_000,
    "a number without end": b'{"id": ' + b"9" * 50_000 + b"}",
    "long": json.dumps({"id": "a" * 60_000}).encode(),
    "latin-1": b'{"id": "\xe4"}',
    "UTF-16": '{"id": "a"}'.encode("utf-16"),
    "not a text": b'{"id": {"id": [1]}}',
}
nasty = pytest.mark.parametrize("body", NASTY.values(), ids=NASTY.keys())


def run(message: Notification) -> Notification:
    """One attempt; its error is for whoever looks at the row."""
    with suppress(JobError):
        run_job(Notification, message.pk)
    message.refresh_from_db()
    return message


def assert_storable(*texts: str) -> None:
    for text in texts:
        assert text == clean(text, longest=500)


# ── A yes, a no and a "not now" are what their status says ──────────────────────────────────
@nasty
def test_a_message_that_is_accepted_is_done_whatever_the_answer_holds(
    queued, gateway, body: bytes
) -> None:
    gateway.answers, gateway.answer_body = [200], body

    sent = run(queued("sms"))

    assert (sent.status, sent.maybe_duplicate, sent.attempts) == (Status.DONE, False, 1)
    assert len(gateway.asked) == 1
    assert_storable(
        sent.provider_id, (sent.result or {})["answer"], *(a.words for a in read_attempts(sent))
    )
    assert len(sent.provider_id) <= 200


def test_control_an_answer_that_is_not_cleaned_breaks_the_record_of_it(
    queued, gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in ((gateways, "kept_words"), (gateways, "kept_id")):
        monkeypatch.setattr(module, name, lambda text: text)
    monkeypatch.setattr("notifications.delivery.log.kept_words", lambda text: text)
    monkeypatch.setattr(queryset, "clean_json", lambda value: value)
    gateway.answers, gateway.answer_body = [200], NASTY["a NUL"]

    with pytest.raises(DataError, match="Unicode"):
        run(queued("sms"))


@nasty
def test_a_gateway_that_is_down_is_down_whatever_the_answer_holds(
    queued, gateway, body: bytes
) -> None:
    gateway.answers, gateway.answer_body = [503] * 3, body

    messages = [run(queued("sms")) for _ in range(breaker.FAILURES_TO_OPEN)]

    state = ChannelState.objects.get(gateway="sms:127.0.0.1")
    assert state.openings == 1
    assert state.error.startswith("503")
    assert {message.status for message in messages} == {Status.QUEUED}
    assert_storable(state.error, *(message.error for message in messages))


@nasty
def test_a_refused_message_fails_whatever_the_answer_holds(queued, gateway, body: bytes) -> None:
    gateway.answers, gateway.answer_body = [400], body

    message = run(queued("sms"))

    assert (message.status, message.attempts) == (Status.FAILED, 1)
    assert message.error.startswith("400")
    assert_storable(message.error, *(a.words for a in read_attempts(message)))


def test_a_mail_servers_answer_is_cleaned_too(queued, mail_server) -> None:
    class Odd:
        async def handle_DATA(self, *args: Any) -> str:
            return "250 taken\x00\x07 as \x1b[31m1"

    mail_server(Odd())

    sent = run(queued("email"))

    assert (sent.status, (sent.result or {})["answer"]) == (Status.DONE, "250 taken as [31m1")


def test_an_id_is_found_by_the_receipt_that_names_it(queued, gateway, client, settings) -> None:
    settings.RECEIPT_SECRETS = {"sms": "s"}
    from notifications.receipts.effect import apply
    from notifications.receipts.sms import read

    odd = "a\x00b" + "c" * 300
    gateway.answers, gateway.answer_body = [200], json.dumps({"id": odd}).encode()
    sent = run(queued("sms"))

    report = read({"id": odd, "status": "failed", "reason": "no\x00 such \ud800number"})

    assert apply(report, channel="sms")
    sent.refresh_from_db()
    assert (sent.delivery, sent.delivery_reason) == ("bounced", "no such number")


# ── Whatever breaks between the yes and the commit ──────────────────────────────────────────
class UnforeseenError(Exception):
    """An error that no code declares, with a text that no row can have."""


def unforeseen(*_args: Any, **_options: Any) -> Any:
    raise UnforeseenError("bang\x00")


def accepted(*_args: Any, **_options: Any) -> Receipt:
    return Receipt(provider_id="1", answer="ok")


BREAKS = {
    "reading the answer": (http_sms, "read_json"),
    "writing the result": (JobQuerySet, "succeed"),
    "closing the breaker": (NotificationHandler, "on_succeeded"),
    "masking the answer": ("notifications.delivery.attempt._masked", None),
    "writing the log": ("notifications.handler.attempt_log.logged", None),
}
breaks = pytest.mark.parametrize("place", BREAKS.values(), ids=BREAKS.keys())


def break_once(monkeypatch: pytest.MonkeyPatch, place: tuple[Any, str | None]) -> None:
    """Let the place raise an unforeseen error at its first call."""
    target, name = place
    if name is None:
        path, _dot, name = target.rpartition(".")
        module, _dot, attribute = path.rpartition(".")
        target = __import__(path if "attempt_log" not in path else module, fromlist=["x"])
        if "attempt_log" in path:
            target = getattr(target, attribute)
    original, calls = getattr(target, name), []

    def breaks_once(*args: Any, **options: Any) -> Any:
        calls.append(args)
        return unforeseen() if len(calls) == 1 else original(*args, **options)

    monkeypatch.setattr(target, name, breaks_once)


@breaks
def test_a_message_that_was_accepted_is_marked_whatever_breaks_then(
    queued, gateway, monkeypatch: pytest.MonkeyPatch, place: Any
) -> None:
    gateway.answers = [200, 200]
    message = queued("sms")
    break_once(monkeypatch, place)

    with suppress(UnforeseenError):
        run(message)
    message.refresh_from_db()
    assert (message.status, message.maybe_duplicate) == (Status.QUEUED, True)
    assert "bang" in message.error
    Notification.objects.update(run_after=Now())
    again = run(message)

    first, second = gateway.asked
    assert (again.status, again.maybe_duplicate) == (Status.DONE, True)
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]


@breaks
def test_it_is_left_to_a_person_where_the_gateway_does_not_know_a_copy(
    queued, gateway, settings, monkeypatch: pytest.MonkeyPatch, place: Any
) -> None:
    settings.SMS_URL += "#no-keys"
    gateway.answers = [200]
    message = queued("sms")
    break_once(monkeypatch, place)

    with suppress(UnforeseenError):
        run(message)

    message.refresh_from_db()
    assert (message.status, message.maybe_duplicate) == (Status.UNKNOWN, True)
    assert "bang" in message.error
    assert [str(a.label) for a in read_attempts(message)] == ["unknown"]


def test_control_without_the_doubt_it_goes_out_again_unmarked(
    queued, gateway, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SMS_URL += "#no-keys"
    gateway.answers = [200, 200]
    message = queued("sms")
    monkeypatch.setattr(NotificationHandler, "doubt", lambda *args: None)
    break_once(monkeypatch, BREAKS["closing the breaker"])

    with suppress(UnforeseenError):
        run(message)
    Notification.objects.update(run_after=Now())
    again = run(message)

    assert (again.maybe_duplicate, len(gateway.asked)) == (False, 2)


def test_what_breaks_before_a_gateway_is_asked_leaves_no_doubt(
    queued, gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.answers = [200]
    message = queued("sms")
    monkeypatch.setattr("notifications.delivery.attempt.read_attachments", unforeseen)

    with suppress(UnforeseenError):
        run(message)

    message.refresh_from_db()
    assert (message.status, message.maybe_duplicate) == (Status.QUEUED, False)
    assert message.error == "UnforeseenError: bang"


def test_a_refusal_ends_the_doubt_of_its_own_attempt(
    queued, gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.answers = [503]
    message = queued("sms")
    monkeypatch.setattr(breaker, "failed", unforeseen)

    with suppress(UnforeseenError):
        run(message)

    message.refresh_from_db()
    assert (message.status, message.maybe_duplicate) == (Status.QUEUED, False)


def test_a_channel_that_breaks_unforeseen_is_in_doubt(
    queued, gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_sms, "send", unforeseen)
    [asked] = gateways.gateways("sms")

    with pytest.raises(NoAnswerError, match=r"broke off: UnforeseenError: bang$"):
        asked.send(message_of(queued("sms")), deadline=None)  # type: ignore[arg-type]


def message_of(notification: Notification) -> Any:
    from notifications.channels.message import Message

    return Message(id=notification.pk, recipient=notification.recipient, text="x")


# ── Workers that die ────────────────────────────────────────────────────────────────────────
def die_after_acceptance(message: Notification, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let its worker die when the gateway has said yes, and its lease be over."""
    with monkeypatch.context() as patch:
        patch.setattr(JobQuerySet, "succeed", raise_interrupt)
        with pytest.raises(KeyboardInterrupt):
            run_job(Notification, message.pk)
    Notification.objects.update(lease_until=Now() - timedelta(seconds=1))


def raise_interrupt(*_args: Any, **_options: Any) -> Any:
    raise KeyboardInterrupt


def test_a_message_that_was_accepted_and_lost_its_third_worker_is_unknown_with_its_log(
    queued, gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.answers = [200] * 3
    message = queued("sms")
    for _death in range(3):
        die_after_acceptance(message, monkeypatch)

    assert bury(Notification) == 1

    message.refresh_from_db()
    assert (message.status, message.maybe_duplicate, message.lost) == (Status.UNKNOWN, True, 3)
    assert message.error == "worker died 3 times"
    assert [(a.number, str(a.label), a.words) for a in read_attempts(message)] == [
        (1, "worker died", ""),
        (2, "worker died", ""),
        (3, "unknown", "worker died 3 times"),
    ]
    assert Notification.objects.filter(pk=message.pk).confirm_sent() == 1


def test_a_message_that_no_gateway_ever_had_is_failed(queued, gateway) -> None:
    message = queued("sms")
    for _death in range(3):
        assert Notification.objects.claim(message.pk)
        Notification.objects.update(lease_until=Now() - timedelta(seconds=1))

    assert bury(Notification) == 1

    message.refresh_from_db()
    assert (message.status, message.maybe_duplicate) == (Status.FAILED, False)
    assert [a.number for a in read_attempts(message)] == [1, 2, 3]


def test_doubt_says_that_it_may_have_arrived_whoever_finds_out(queued) -> None:
    fields = NotificationHandler().attempt_fields(queued("email"), Status.UNKNOWN, "")

    assert fields["maybe_duplicate"]


def test_a_handler_doubts_nothing_that_was_not_handed_over(queued) -> None:
    message = Notification.objects.claim(queued("sms").pk)
    assert isinstance(message, Notification)

    NotificationHandler().doubt(message, "broke")
    assert not message.maybe_duplicate

    message.handed_over, message.gateway = True, "sms:gone.example"
    with pytest.raises(UnknownOutcomeError, match="broke"):
        NotificationHandler().doubt(message, "broke")
    assert message.maybe_duplicate
