"""An e-mail's bytes, as a mail server gets them."""

import email
import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from email import policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller

from notifications.channels import email as channel
from notifications.channels.deadline import Deadline
from notifications.channels.message import Attachment, Message
from project.jobs.errors import PermanentError

MESSAGE = Message(
    id=UUID("0d9f6a52-9a1c-4d2f-8a55-6b1f4e1f3a10"),
    recipient="zoe@example.org",
    subject="Your order",
    text="Grüße, 你好.\n.\nFrom here on a = b.\n",
    html="<p>Grüße, 你好</p>",
)
CHINESE = "新茶到了，欢迎光临本店选购" * 20
PICTURE = Attachment(name="茶.png", content=b"\x89PNG\r\n", kind="image/png", cid="tea")
TABLE = Attachment(name="báo cáo.csv", content="a,ü\r\n1,2\n".encode(), kind="text/csv")


class Keeps:
    """A mail server that keeps what came over the wire, and what was said before."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self.envelopes: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.raw.append(envelope.original_content)
        self.envelopes.append(envelope)
        return "250 OK"


@pytest.fixture
def send(mail_server: Callable[[Any], None]) -> Callable[..., tuple[bytes, Any]]:
    """Send the message with these changes; return its bytes, and as a mail program reads it."""
    server = Keeps()
    mail_server(server)

    def send_and_read(**changes: Any) -> tuple[bytes, Any]:
        channel.send(replace(MESSAGE, **changes), url="", deadline=Deadline(5))
        return server.raw[-1], email.message_from_bytes(server.raw[-1], policy=policy.default)

    return send_and_read


def header(raw: bytes, name: str) -> list[bytes]:
    """Return the lines of a header, as they came."""
    found = re.search(rb"(?m)^" + name.encode() + rb": [^\r\n]*(\r\n[ \t][^\r\n]*)*", raw)
    assert found is not None, name
    return found[0].split(b"\r\n")


def parts(message: EmailMessage) -> list[Any]:
    return [part for part in message.walk() if not part.is_multipart()]


# ── Bodies ──────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("text", [MESSAGE.text, "plain\n", CHINESE, "x" * 5000, "a\r\nb\rc\n", ""])
def test_bodies_are_written_for_servers_that_take_seven_bits(send, text: str) -> None:
    raw, message = send(text=text, html=f"<p>{text}</p>", attachments=(PICTURE, TABLE))

    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw), "RFC 5321, 2.3.8"
    for part in parts(message):
        assert part["Content-Transfer-Encoding"] in ("quoted-printable", "base64")
    said = message.get_body(("plain",)).get_content()
    assert said.replace("\r\n", "\n") == re.sub("\r\n|\r", "\n", text)


def test_a_file_arrives_byte_by_byte(send) -> None:
    _raw, message = send(attachments=(PICTURE, TABLE))

    [table] = message.iter_attachments()
    [picture] = [part for part in parts(message) if part["Content-ID"]]
    assert table.get_filename() == TABLE.name
    assert table.get_payload(decode=True) == TABLE.content
    assert table.get_content_charset() == "utf-8"
    assert picture["Content-ID"] == "<tea>"
    assert picture.get_payload(decode=True) == PICTURE.content
    assert picture.get_filename() == PICTURE.name


@pytest.mark.parametrize(
    ("html", "kind"), [("<p>x</p>", "multipart/alternative"), ("", "text/plain")]
)
def test_related_parts_name_the_type_of_the_first(send, html: str, kind: str) -> None:
    _raw, message = send(html=html, attachments=(PICTURE,))

    assert message.get_content_type() == "multipart/related"
    assert message.get_param("type") == kind == next(message.iter_parts()).get_content_type()


# ── Headers ─────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("length", [10, 120, 900])
def test_the_address_to_unsubscribe_stands_in_its_header_literally(send, length: int) -> None:
    url = "https://shop.example/u/" + "a,b;c=:?&" * (length // 9)

    raw, _message = send(unsubscribe_url=url)

    assert header(raw, "List-Unsubscribe") == [f"List-Unsubscribe: <{url}>".encode()]
    assert header(raw, "List-Unsubscribe-Post") == [
        b"List-Unsubscribe-Post: List-Unsubscribe=One-Click"
    ]


def test_an_address_that_no_line_can_hold_is_not_in_a_header(send) -> None:
    _raw, message = send(unsubscribe_url="https://shop.example/" + "x" * 1000)

    assert message["List-Unsubscribe"] is message["List-Unsubscribe-Post"] is None


@pytest.mark.parametrize(
    "subject",
    [
        CHINESE[:300],
        "Tea, " * 59 + "Tea",
        "x" * 300,
        "Zoë " * 70 + "!",
        "a  b ",
        "=?utf-8?q?x?=",
        "👩🏽‍🚀" * 60,
        "",
    ],
)
def test_a_subject_starts_in_the_first_line_and_breaks_no_character(send, subject: str) -> None:
    raw, message = send(subject=subject)

    lines = header(raw, "Subject")
    assert (not subject) or lines[0][len("Subject: ") :].strip()
    assert all(line.strip() for line in lines)
    assert max(map(len, lines)) <= 76 or b" " not in lines[0][len("Subject: ") :]
    words = re.findall(rb"=\?utf-8\?b\?([^?]*)\?=", b"".join(lines))
    for word in words:
        b64decode(word).decode()  # each is whole characters
    assert message["Subject"] == subject
    assert str(make_header(decode_header(b"".join(lines)[9:].decode()))) == subject


@pytest.mark.parametrize("name", ["Tandem", "Tea, Tins & More", "茶叶店" * 30, "Zoë"])
def test_the_senders_name_is_readable_and_the_address_plain(send, settings, name: str) -> None:
    quoted = f'"{name}"' if "," in name else name
    settings.DEFAULT_FROM_EMAIL = f"{quoted} <shop@shop.example>"

    raw, message = send()

    assert header(raw, "From")[-1].endswith(b"<shop@shop.example>")
    assert message["From"].addresses[0].addr_spec == "shop@shop.example"
    # Not by policy.default, which puts a space between a name's encoded words (RFC 2047, 6.2).
    shown, _address = parseaddr(email.message_from_bytes(raw)["From"])
    assert str(make_header(decode_header(shown))) == name


def test_a_sender_whose_name_is_encoded_already_is_not_encoded_twice(send, settings) -> None:
    settings.DEFAULT_FROM_EMAIL = "=?utf-8?b?6Iy25Y+25bqX?= <shop@shop.example>"

    _raw, message = send()

    assert message["From"].addresses[0].display_name == "茶叶店"


@pytest.mark.parametrize(
    "recipient", ["zoe", "zoe@", "zoe@example.org\nBcc: x@y.z", "zoë b@example.org", ""]
)
def test_what_is_no_address_is_refused_for_good(send, recipient: str) -> None:
    with pytest.raises(PermanentError, match=r"(?i)address|newline"):
        send(recipient=recipient)


# ── Addresses beyond ASCII ──────────────────────────────────────────────────────────────────
def test_a_mailbox_beyond_ascii_is_sent_as_it_is_where_the_server_offers_that(mail_server) -> None:
    server = Keeps()
    mail_server(server)

    channel.send(replace(MESSAGE, recipient="zoë@münchen.example"), url="", deadline=Deadline(5))

    [raw], [envelope] = server.raw, server.envelopes
    assert envelope.rcpt_tos == ["zoë@xn--mnchen-3ya.example"]
    assert envelope.smtp_utf8
    assert header(raw, "To") == ["To: zoë@xn--mnchen-3ya.example".encode()]


def test_it_is_refused_with_a_sentence_where_the_server_does_not(email_port) -> None:
    server = Keeps()
    controller = Controller(server, hostname="127.0.0.1", port=email_port, enable_SMTPUTF8=False)
    controller.start()
    try:
        with pytest.raises(PermanentError, match="doesn't offer SMTPUTF8"):
            channel.send(
                replace(MESSAGE, recipient="zoë@example.org"), url="", deadline=Deadline(5)
            )
        channel.send(MESSAGE, url="", deadline=Deadline(5))
    finally:
        controller.stop()
    assert len(server.raw) == 1


def test_the_server_is_asked_for_nothing_that_an_ascii_message_does_not_need(send, mail_server):
    raw, _message = send()

    assert raw.isascii()
