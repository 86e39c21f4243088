"""The bytes that a mail server gets for names in many scripts, and for hostile names."""

import email
from collections import Counter
from email import policy
from email.message import EmailMessage
from typing import Any

import pytest

from notifications.delivery.attempt import deliver
from notifications.models import Notification
from notifications.outbox import announcement_message
from notifications.rendering import one_line
from project.jobs.errors import PermanentError
from tests.notifications.order_context import CONTEXT

HEADERS = {
    *("Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted"),
    *("MIME-Version", "Content-Type"),
}
OPTIONAL = {"List-Unsubscribe", "List-Unsubscribe-Post", "Content-Transfer-Encoding"}

NAMES = {
    "header": "Zoë\r\nBcc: everyone@example.org\r\n\r\n<h1>Hello</h1>",
    "folded header": "Zoë\n X-Evil: 1\r\tY-Evil: 2",
    "encoded word": "=?utf-8?q?Zo=C3=AB=0D=0ABcc=3A_x=40example=2Eorg?=",
    "template": "{{ secrets }}{% include 'admin/base.html' %}{% debug %}{# #}",
    "format": "%(total)s %s {0} {name!r} ${total}",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "chinese": "王小明",
    "hebrew": "שָׁלוֹם כהן",
    "arabic": "محمد عبد الله",
    "override": "\u202egnp.exe",
    "emoji": "👩🏽‍🚀 Zoë",
    "combining": "Z" + "\u0301" * 60,
    "dots": ".\r\n.\r\nQUIT",
    "long": "Wolfeschlegelsteinhausenbergerdorff " * 6,
    "endless": "x" * 5000,
}


SUBJECT = "Your order T1001 at"
SUBJECTS = {
    NAMES["encoded word"]: f"{SUBJECT} = ?utf-8?q?Zo=C3=AB=0D=0ABcc=3A_x=40example=2Eorg?=",
}
"""Where it isn't just the name."""


class Keeps:
    """A mail server that keeps what came over the wire."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.raw.append(envelope.original_content)
        return "250 OK"


@pytest.fixture
def server(db: None, mail_server: Any) -> Keeps:
    keeps = Keeps()
    mail_server(keeps)
    return keeps


def arrived(server: Keeps, notification: Notification) -> tuple[bytes, EmailMessage]:
    """Send the message; return what came, as bytes and as a mail program reads it."""
    notification.save(force_insert=True)
    claimed = Notification.objects.claim(notification.pk)
    assert isinstance(claimed, Notification)
    deliver(claimed)
    [raw] = server.raw
    return raw, email.message_from_bytes(raw, policy=policy.default)


def order_placed(**context: Any) -> Notification:
    return Notification(
        event="order_placed",
        channel="email",
        recipient="zoe@example.org",
        language="en",
        context=CONTEXT | context,
    )


def news(**changes: Any) -> Notification:
    fields: dict[str, Any] = {
        "announcement_id": 1,
        "reader_id": 1,
        "email": "zoe@example.org",
        "name": "Zoë",
        "language": "en",
        "subject": "New tea",
        "text": "It has come.",
        "preferences_url": "https://shop.example/accounts/settings/",
        "unsubscribe_url": "https://shop.example/announcements/unsubscribe/x/",
    }
    return announcement_message(**fields | changes)


def assert_sound(raw: bytes, message: EmailMessage) -> None:
    """The headers are those that we write, once each, and no line is longer than mail allows."""
    counts = Counter(message.keys())
    assert set(counts) - OPTIONAL == HEADERS
    assert set(counts.values()) == {1}
    assert message["To"] == "zoe@example.org"
    assert max(map(len, raw.split(b"\r\n"))) <= 998, "RFC 5322, 2.1.1"
    assert not message.defects
    assert message.get_body(("plain",)) is not None
    assert message.get_body(("html",)) is not None


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_whatever_a_name_says_the_headers_are_ours_and_both_parts_say_it(
    server: Keeps, name: str
) -> None:
    raw, message = arrived(server, order_placed(name=name, shop_name=name))

    assert_sound(raw, message)
    assert one_line(message["Subject"]) == one_line(SUBJECTS.get(name, f"{SUBJECT} {name}")[:300])
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    said = " ".join(text.get_content().split())
    assert " ".join(name.split()) in said
    assert "<script" not in html.get_content()
    assert "<img" not in html.get_content()


@pytest.mark.parametrize("text", ["新茶到了" * 75, "שלום " * 60, "Tea, " * 60, "👩🏽‍🚀" * 75])
def test_a_subject_of_300_characters_arrives_as_it_was_written(server: Keeps, text: str) -> None:
    subject = text[:300].strip()

    raw, message = arrived(server, news(subject=subject))

    assert_sound(raw, message)
    assert message["Subject"].strip() == subject  # long words are folded right after the colon


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_an_announcement_is_text_and_never_a_template(server: Keeps, name: str) -> None:
    raw, message = arrived(server, news(subject=name, text=name, name=name))

    assert_sound(raw, message)
    html = message.get_body(("html",))
    assert html is not None
    assert "<script" not in html.get_content()


def test_control_unclean_the_subject_would_be_refused_by_the_last_guard(
    server: Keeps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifications.rendering.one_line", lambda text: text)

    with pytest.raises(PermanentError, match="newline"):
        arrived(server, order_placed(shop_name=NAMES["header"]))


def test_a_domain_arrives_as_the_row_and_dns_have_it(server: Keeps) -> None:
    message = order_placed()
    message.recipient = "zoe@xn--mnchen-3ya.example"

    _raw, arrived_message = arrived(server, message)

    assert arrived_message["To"] == "zoe@xn--mnchen-3ya.example"
