"""Receipts of providers: signed, fresh, once, and never backwards."""

import json
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext

from notifications.models import Notification
from notifications.receipts.bounces import trouble_with, troubled_addresses
from notifications.receipts.signature import TOLERANCE, sign

pytestmark = pytest.mark.django_db

SECRETS = {"email": "mail's", "sms": "gateway's", "sms:b.example": "b's"}


@pytest.fixture(autouse=True)
def secrets(settings: Any) -> None:
    settings.RECEIPT_SECRETS = SECRETS


def sent(channel: str = "email", **fields: Any) -> Notification:
    values = {
        "kind": f"order_placed.{channel}",
        "event": "order_placed",
        "channel": channel,
        "recipient": "ada@example.org" if channel == "email" else "+4915112345678",
        "language": "en",
        "status": "done",
        "order_id": uuid4(),
    }
    return Notification.objects.create(**values | fields)


def post(
    body: Any,
    *,
    provider: str = "email",
    secret: str | None = None,
    age: float = 0,
    **headers: str,
) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    timestamp = int(time.time() - age)
    key = SECRETS.get(provider, "") if secret is None else secret
    signed = {
        "Receipt-Timestamp": str(timestamp),
        "Receipt-Signature": sign(raw, secret=key, timestamp=timestamp),
    }
    return Client(enforce_csrf_checks=True).post(
        f"/receipts/{provider}/", raw, content_type="application/json", headers=signed | headers
    )


def email(message: Notification, event: str, **fields: Any) -> dict[str, Any]:
    return {"message_id": f"<{message.pk}@shop.example>", "event": event, **fields}


def told(message: Notification) -> tuple[str, str]:
    message.refresh_from_db()
    return message.delivery, message.delivery_reason


# ── What it says ────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("event", "delivery"),
    [
        ("delivered", "delivered"),
        ("Delivery", "delivered"),
        ("bounce", "bounced"),
        ("hard-bounce", "bounced"),
        ("complaint", "complained"),
    ],
)
def test_an_emails_receipt_is_kept_with_its_reason_and_time(event: str, delivery: str) -> None:
    message = sent()

    answer = post(email(message, event, reason="550 no such mailbox"))

    assert (answer.status_code, answer.json()) == (200, {"delivery": delivery, "changed": True})
    assert told(message) == (delivery, "550 no such mailbox")
    assert message.delivery_at is not None
    assert message.status == "done"


@pytest.mark.parametrize("named_by", ["id", "key"])
def test_an_sms_is_found_by_the_gateways_id_or_by_our_key(named_by: str) -> None:
    message = sent("sms", provider_id="gw-77")
    sent("sms", provider_id="gw-78")
    names = {"id": "gw-77"} if named_by == "id" else {"key": str(message.pk)}

    answer = post({**names, "status": "undelivered", "reason": "no network"}, provider="sms")

    assert answer.status_code == 200
    assert told(message) == ("bounced", "no network")
    assert Notification.objects.exclude(delivery="").count() == 1


def test_what_we_do_not_keep_is_accepted_and_changes_nothing() -> None:
    message = sent()

    answer = post(email(message, "opened"))

    assert (answer.status_code, answer.json()) == (200, {"delivery": None, "changed": False})
    assert told(message) == ("", "")


def test_two_gateways_with_the_same_id_are_told_apart_by_their_names() -> None:
    first = sent("sms", provider_id="7", gateway="sms:a.example")
    second = sent("sms", provider_id="7", gateway="sms:b.example")
    body = {"id": "7", "status": "delivered"}

    unnamed = post(body, provider="sms")
    named = post(body, provider="sms:b.example")

    assert (unnamed.status_code, named.status_code) == (404, 200)
    assert (told(first)[0], told(second)[0]) == ("", "delivered")


def test_a_reason_is_one_bounded_line() -> None:
    message = sent()

    post(email(message, "bounced", reason="550\r\nX: y\x07" + "long " * 200))

    assert told(message)[1].startswith("550 X: ylong long")
    assert len(told(message)[1]) <= 300


# ── Once, and never backwards ───────────────────────────────────────────────────────────────
def test_the_same_receipt_twice_has_no_second_effect() -> None:
    message = sent()
    body = email(message, "bounced", reason="550")
    post(body)
    told(message)
    first_at = message.delivery_at

    again = post(body)

    assert (again.status_code, again.json()["changed"]) == (200, False)
    assert told(message) == ("bounced", "550")
    assert message.delivery_at == first_at


@pytest.mark.parametrize(
    ("first", "late", "stays"),
    [
        ("bounced", "delivered", "bounced"),
        ("complained", "delivered", "complained"),
        ("complained", "bounced", "complained"),
        ("delivered", "bounced", "bounced"),
        ("delivered", "complained", "complained"),
        ("bounced", "complained", "complained"),
    ],
)
def test_a_late_receipt_never_goes_backwards(first: str, late: str, stays: str) -> None:
    message = sent()

    post(email(message, first, reason=first))
    post(email(message, late, reason=late))

    assert told(message) == (stays, stays)


# ── Who may tell ────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "forged",
    [
        {"secret": "guessed"},
        {"secret": SECRETS["sms"]},
        {"age": TOLERANCE + 30},
        {"age": -TOLERANCE - 30},
        {"Receipt-Signature": ""},
        {"Receipt-Signature": "sha256="},
        {"Receipt-Signature": "sha256=ä"},
        {"Receipt-Timestamp": ""},
        {"Receipt-Timestamp": "now"},
        {"Receipt-Timestamp": "-1"},
        {"Receipt-Timestamp": "9" * 400},
        {"Receipt-Timestamp": "٣"},
    ],
)
def test_what_is_not_signed_now_by_the_provider_is_refused(forged: dict[str, Any]) -> None:
    message = sent()

    answer = post(email(message, "bounced"), **forged)

    assert answer.status_code == 401
    assert told(message) == ("", "")


def test_another_body_under_a_recorded_signature_is_refused() -> None:
    message = sent()
    timestamp = int(time.time())
    recorded = sign(
        json.dumps(email(message, "delivered")).encode(), secret="mail's", timestamp=timestamp
    )

    headers: dict[str, Any] = {"Receipt-Signature": recorded, "Receipt-Timestamp": str(timestamp)}
    answer = post(email(message, "bounced"), **headers)

    assert answer.status_code == 401


@pytest.mark.parametrize("configured", [{}, {"email": ""}])
def test_without_a_secret_nobody_may_tell(settings: Any, configured: dict[str, str]) -> None:
    settings.RECEIPT_SECRETS = configured
    message = sent()

    assert post(email(message, "bounced"), secret="").status_code == 401
    assert told(message) == ("", "")


def test_a_refusal_comes_before_anything_is_looked_up() -> None:
    message = sent()

    with CaptureQueriesContext(connection) as queries:
        post(email(message, "bounced"), secret="guessed")

    assert len(queries) == 0


# ── What can't be read ──────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "isn't JSON"),
        (b"{", "isn't JSON"),
        (b"\xff", "isn't JSON"),
        (b"[" * 30_000, "isn't JSON"),
        (b"[]", "JSON object"),
        ({}, "event: a text"),
        ({"event": 7, "message_id": "x"}, "event: a text"),
        ({"event": "bounced"}, "message_id: a text"),
        ({"event": "bounced", "message_id": "<x@y>"}, "message_id: not the Message-ID"),
        ({"event": "bounced", "message_id": f"<{uuid4()}@x>", "reason": []}, "reason: a text"),
        ({"event": "a\x00", "message_id": "x"}, "event: it has invalid characters"),
        ({"event": "a\ud800", "message_id": "x"}, "event: it has invalid characters"),
    ],
)
def test_what_can_not_be_read_is_refused_with_the_field(body: Any, says: str) -> None:
    answer = post(body)

    assert answer.status_code == 422
    assert says in answer.json()["detail"]


def test_an_sms_receipt_needs_one_of_its_names() -> None:
    nameless = post({"status": "delivered"}, provider="sms")
    misnamed = post({"status": "delivered", "key": "7"}, provider="sms")

    assert nameless.json()["detail"] == "id: a text is needed"
    assert misnamed.json()["detail"] == "key: not an Idempotency-Key of ours"


def test_a_message_that_is_not_known_may_be_asked_again() -> None:
    message = sent("sms", provider_id="7")

    unknown = {"message_id": f"<{uuid4()}@x>", "event": "bounced"}
    assert post(unknown).status_code == 404
    assert post({"id": "8", "status": "delivered"}, provider="sms").status_code == 404
    # Another channel's message isn't this provider's to speak about.
    assert post(email(message, "bounced")).status_code == 404
    assert told(message) == ("", "")


def test_a_large_body_is_refused_before_it_is_read() -> None:
    assert post(b" " * 65_537).status_code == 413
    assert post(email(sent(), "delivered", more="x" * 60_000)).status_code == 200


@pytest.mark.parametrize("provider", ["pigeon", "email:x", ":", "sms:nobody"])
def test_a_provider_that_is_not_there(provider: str) -> None:
    answer = post({}, provider=provider, secret="x")

    assert answer.status_code == (401 if provider == "sms:nobody" else 404)


def test_only_post_is_answered() -> None:
    assert Client().get("/receipts/email/").status_code == 405


# ── Which addresses are in trouble ──────────────────────────────────────────────────────────
def reported(recipient: str, delivery: str, *, minutes_ago: int) -> None:
    message = sent(recipient=recipient)
    Notification.objects.filter(pk=message.pk).update(
        delivery=delivery, delivery_at=Now() - timedelta(minutes=minutes_ago)
    )


@pytest.mark.parametrize(
    ("history", "is_troubled"),
    [
        ([], False),
        ([("delivered", 1)], False),
        ([("bounced", 1)], True),
        ([("complained", 1)], True),
        ([("bounced", 9), ("delivered", 1)], False),
        ([("delivered", 9), ("bounced", 1)], True),
        ([("complained", 9), ("delivered", 1)], True),
        ([("bounced", 9), ("delivered", 5), ("bounced", 1)], True),
    ],
)
def test_an_address_is_in_trouble_until_something_is_delivered_there(
    history: list[tuple[str, int]], is_troubled: bool
) -> None:
    sent(recipient="ADA@example.org")
    for delivery, minutes_ago in history:
        reported("ADA@example.org", delivery, minutes_ago=minutes_ago)
    reported("bob@example.org", "bounced", minutes_ago=1)

    assert (trouble_with("ADA@example.org") is not None) is is_troubled
    found = set(troubled_addresses().values_list("small", flat=True))
    assert ("ada@example.org" in found) is is_troubled
    assert "bob@example.org" in found
