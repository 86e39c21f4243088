"""The e-mail channel against a real mail server that behaves as each test says."""

import asyncio
import email
import smtplib
import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace
from email import policy
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from notifications.channels import email as channel
from notifications.channels import smtp
from notifications.channels.deadline import Deadline
from notifications.channels.message import Message, NoAnswerError, RefusesUsError
from project.jobs.errors import PermanentError, TransientError

MESSAGE = Message(
    id=UUID("0d9f6a52-9a1c-4d2f-8a55-6b1f4e1f3a10"),
    recipient="zoe@example.org",
    subject="Grüße, 你好",
    text="Hello.\n.\nFrom here on.\n",
    html="<p>Hello.</p>",
)


class Keeps:
    """A mail server that accepts everything."""

    def __init__(self):
        self.envelopes = []

    async def handle_DATA(self, server, session, envelope):
        self.envelopes.append(envelope)
        return "250 2.0.0 Queued as 4711"

    @property
    def messages(self):
        return [
            email.message_from_bytes(envelope.content, policy=policy.default)
            for envelope in self.envelopes
        ]


class Answers:
    """A mail server that gives one answer at one step."""

    def __init__(self, step, answer):
        async def handle(*args):
            return answer

        setattr(self, f"handle_{step}", handle)


def send(*, seconds: float = 5, message: Message = MESSAGE):
    return channel.send(message, url="", deadline=Deadline(seconds))


def test_the_message_arrives_with_both_parts_and_its_headers(mail_server, settings):
    settings.DEFAULT_FROM_EMAIL = "Tandem <shop@shop.example>"
    server = Keeps()
    mail_server(server)

    receipt = send()

    [message] = server.messages
    assert message["Subject"] == "Grüße, 你好"
    assert message["To"] == "zoe@example.org"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == f"<{MESSAGE.id}@shop.example>"
    assert message.get_body(("plain",)).get_content().splitlines() == MESSAGE.text.splitlines()
    assert message.get_body(("html",)).get_content().strip() == MESSAGE.html
    assert receipt.provider_id == message["Message-ID"]
    assert receipt.answer == "250 2.0.0 Queued as 4711"


@pytest.mark.parametrize(
    ("url", "one_click"),
    [
        ("https://shop.example/u/" + "x" * 200, "List-Unsubscribe=One-Click"),
        ("http://localhost:8000/u/x", None),
    ],
)
def test_what_may_be_switched_off_says_where_as_rfc_8058_has_it(mail_server, url, one_click):
    server = Keeps()
    mail_server(server)

    send(message=replace(MESSAGE, unsubscribe_url=url))

    [message] = server.messages
    assert message["List-Unsubscribe"].replace(" ", "") == f"<{url}>"
    assert message["List-Unsubscribe-Post"] == one_click


def test_what_must_be_said_offers_no_unsubscribing(mail_server):
    server = Keeps()
    mail_server(server)

    send()

    [message] = server.messages
    assert message["List-Unsubscribe"] is None
    assert message["List-Unsubscribe-Post"] is None


def test_every_attempt_has_the_same_message_id(mail_server):
    server = Keeps()
    mail_server(server)

    send()
    send()

    first, second = server.messages
    assert first["Message-ID"] == second["Message-ID"]


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_a_4xx_answer_is_transient_with_the_servers_words(mail_server, step):
    mail_server(Answers(step, "451 4.7.1 Greylisted, come back later"))

    with pytest.raises(TransientError, match=r"451 .* Greylisted") as caught:
        send()
    assert not isinstance(caught.value, NoAnswerError)


@pytest.mark.parametrize("step", ["RCPT", "DATA"])
def test_a_5xx_answer_is_permanent_with_the_servers_words(mail_server, step):
    mail_server(Answers(step, "550 5.1.1 No such user here"))

    with pytest.raises(PermanentError, match=r"550 .* No such user here"):
        send()


@pytest.mark.parametrize(
    ("step", "answer", "says"),
    [
        ("MAIL", "530 5.7.0 Authentication required", "refuses our user or password"),
        ("MAIL", "530 5.7.0 Must issue a STARTTLS command first", "refuses our user or password"),
        ("RCPT", "550 5.7.8 Sign in first", "refuses our user or password"),
        ("MAIL", "553 5.7.1 Sender address rejected: not owned by user", "DEFAULT_FROM_EMAIL"),
        ("MAIL", "550 5.1.8 Domain of sender does not exist", "DEFAULT_FROM_EMAIL"),
        ("RCPT", "554 5.7.1 <zoe@example.org>: Relay access denied", "takes no mail for others"),
        ("MAIL", "550 5.4.5 Daily user sending limit exceeded", "takes no more mail from us"),
        ("DATA", "550 5.4.5 Daily user sending limit exceeded", "takes no more mail from us"),
        ("DATA", "550 5.7.26 Unauthenticated email is not accepted", "SPF, DKIM and DMARC"),
    ],
)
def test_a_refusal_of_us_is_a_provider_that_is_down(mail_server, step, answer, says):
    mail_server(Answers(step, answer))

    with pytest.raises(RefusesUsError, match=rf"{says}.* \({answer[:3]} "):
        send()


def test_a_refused_password_is_a_provider_that_is_down(email_port, settings):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "shop", "wrong"

    def authenticate(*args):
        return AuthResult(success=False, handled=False)

    controller = Controller(
        Keeps(),
        hostname="127.0.0.1",
        port=email_port,
        authenticator=authenticate,
        auth_require_tls=False,
    )
    controller.start()
    try:
        with pytest.raises(RefusesUsError, match=r"refuses our user or password \(535 ") as caught:
            send()
    finally:
        controller.stop()
    assert "wrong" not in str(caught.value)


def test_a_size_that_is_refused_at_mail_is_the_messages(mail_server):
    mail_server(Answers("MAIL", "552 5.3.4 Message size exceeds fixed limit"))

    with pytest.raises(PermanentError, match="552"):
        send()


@pytest.mark.parametrize("answer", ["251 2.1.5 Forwarded", "200 fine"])
def test_any_2xx_after_the_message_is_an_acceptance(mail_server, answer):
    mail_server(Answers("DATA", answer))

    assert send().answer == answer


@pytest.mark.parametrize("answer", ["354 Go on", "100 Hm", "never mind"])
def test_an_answer_after_the_message_that_is_neither_yes_nor_no_leaves_doubt(mail_server, answer):
    mail_server(Answers("DATA", answer))

    with pytest.raises(NoAnswerError, match="after DATA"):
        send()


def test_a_server_that_closes_for_the_night_is_transient(mail_server):
    mail_server(Answers("MAIL", "421 4.3.2 Shutting down"))

    with pytest.raises(TransientError, match=r"421 .* Shutting down"):
        send()


def test_a_refused_greeting_says_nothing_about_the_message(mail_server):
    class Unfriendly:
        async def handle_EHLO(self, server, session, envelope, hostname, responses):
            return ["550 Not today"]

        async def handle_HELO(self, server, session, envelope, hostname):
            return "550 Not today"

    mail_server(Unfriendly())

    with pytest.raises(TransientError, match="550 Not today"):
        send()


def test_a_refused_connection_is_transient(email_port):
    with pytest.raises(TransientError, match="refused") as caught:
        send()
    assert not isinstance(caught.value, NoAnswerError)


def test_a_connection_dropped_before_the_message_cannot_double_it(mail_server):
    class Drops:
        async def handle_RCPT(self, server, *args):
            server.transport.abort()

    mail_server(Drops())

    with pytest.raises(TransientError) as caught:
        send()
    assert not isinstance(caught.value, NoAnswerError)


def test_a_connection_dropped_after_the_message_leaves_doubt(mail_server):
    class Drops(Keeps):
        async def handle_DATA(self, server, session, envelope):
            await super().handle_DATA(server, session, envelope)
            server.transport.abort()

    server = Drops()
    mail_server(server)

    with pytest.raises(NoAnswerError, match="after DATA"):
        send()
    assert len(server.envelopes) == 1


def test_silence_after_the_message_leaves_doubt_and_ends_in_time(mail_server):
    class Hangs(Keeps):
        async def handle_DATA(self, server, session, envelope):
            await super().handle_DATA(server, session, envelope)
            await asyncio.Event().wait()

    mail_server(Hangs())
    began = time.monotonic()

    with pytest.raises(NoAnswerError, match="timed out"):
        send(seconds=0.5)
    assert time.monotonic() - began < 8


def test_silence_before_the_message_is_plainly_transient(mail_server):
    class Hangs:
        async def handle_MAIL(self, *args):
            await asyncio.Event().wait()

    mail_server(Hangs())

    with pytest.raises(TransientError, match="timed out") as caught:
        send(seconds=0.5)
    assert not isinstance(caught.value, NoAnswerError)


# ── One connection for several messages ─────────────────────────────────────────────────────
class Counts(Keeps):
    """A mail server that knows how many connections it had."""

    def __init__(self):
        super().__init__()
        self.greeted = 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        self.greeted += 1
        session.host_name = hostname
        return responses


def test_a_backlog_is_sent_over_one_connection(mail_server):
    server = Counts()
    mail_server(server)

    for _ in range(3):
        send()

    assert (len(server.messages), server.greeted) == (3, 1)


@pytest.mark.parametrize(
    ("limit", "value", "greeted"), [("KEEP_SECONDS", 0.0, 3), ("MAX_MESSAGES", 2, 2)]
)
def test_a_connection_is_kept_for_some_seconds_and_messages(
    mail_server, monkeypatch, limit, value, greeted
):
    monkeypatch.setattr(smtp, limit, value)
    server = Counts()
    mail_server(server)

    for _ in range(3):
        send()

    assert (len(server.messages), server.greeted) == (3, greeted)


def test_each_message_has_its_own_time(mail_server):
    server = Counts()
    mail_server(server)
    send(seconds=0.3)
    time.sleep(0.4)

    send()

    assert (len(server.messages), server.greeted) == (2, 1)


@pytest.mark.parametrize("how", ["hangs up", "421"])
def test_a_kept_connection_that_is_over_is_nobodys_failure(mail_server, how):
    class Closes(Counts):
        async def handle_MAIL(self, server, session, envelope, address, options):
            if self.envelopes and self.greeted == 1:
                if how == "hangs up":
                    server.transport.abort()
                return "421 4.4.2 Too many messages by this connection"
            envelope.mail_from = address
            return "250 OK"

    server = Closes()
    mail_server(server)
    send()

    assert send().answer.startswith("250")
    assert (len(server.messages), server.greeted) == (2, 2)


def test_a_kept_connection_that_dies_after_data_leaves_doubt_and_sends_no_copy(mail_server):
    class DropsSecond(Counts):
        async def handle_DATA(self, server, session, envelope):
            answer = await super().handle_DATA(server, session, envelope)
            if len(self.envelopes) == 2:
                server.transport.abort()
            return answer

    server = DropsSecond()
    mail_server(server)
    send()

    with pytest.raises(NoAnswerError):
        send()
    assert (len(server.messages), server.greeted) == (2, 1)


def test_another_server_gets_a_connection_of_its_own(mail_server, settings):
    server = Counts()
    mail_server(server)
    send()
    settings.EMAIL_HOST = "localhost"

    send()

    assert server.greeted == 2


def test_a_goodbye_that_hangs_holds_nobody_up(mail_server, monkeypatch):
    class HangsAtQuit(Counts):
        async def handle_QUIT(self, *args):
            await asyncio.Event().wait()

    monkeypatch.setattr(smtp, "QUIT_SECONDS", 0.1)
    monkeypatch.setattr(smtp, "MAX_MESSAGES", 1)
    server = HangsAtQuit()
    mail_server(server)
    began = time.monotonic()

    send()
    receipt = send()

    assert receipt.answer.startswith("250")
    assert server.greeted == 2
    assert time.monotonic() - began < 8


@pytest.fixture
def dripping_server(email_port):
    """A server that sends its greeting a byte every 50 ms: no single read ever times out."""
    stop = threading.Event()

    def drip():
        connection, _ = listener.accept()
        with connection:
            while not stop.wait(0.05):
                try:
                    connection.send(b"2")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", email_port)) as listener:
        thread = threading.Thread(target=drip)
        thread.start()
        yield stop
        stop.set()
        thread.join()


def test_a_server_that_drips_its_words_cannot_hold_a_worker(dripping_server):
    began = time.monotonic()

    with pytest.raises(TransientError):
        send(seconds=0.5)
    assert time.monotonic() - began < 8


def test_control_a_plain_timeout_is_not_enough_against_dripping(dripping_server, email_port):
    def connect():
        with suppress(smtplib.SMTPException):
            smtplib.SMTP("127.0.0.1", email_port, timeout=0.2)

    waiting = threading.Thread(target=connect)
    waiting.start()

    waiting.join(1)

    assert waiting.is_alive()
    dripping_server.set()
    waiting.join()


def test_any_other_django_backend_works_too(settings, mailoutbox):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

    send()

    assert mailoutbox[0].subject == MESSAGE.subject


@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        ("zoe@straße.example", "zoe@xn--strae-oqa.example"),
        ("zoe@faß.example", "zoe@xn--fa-hia.example"),
        ("zoe@βόλος.example", "zoe@xn--nxasmm1c.example"),
        ("zoe@نامه\u200cای.example", "zoe@xn--mgba3gch31f060k.example"),
    ],
)
def test_mail_goes_to_the_domain_itself_and_not_to_one_that_resembles_it(
    mail_server, settings, stored, sent
):
    settings.DEFAULT_FROM_EMAIL = "Tandem <shop@straße.example>"
    server = Keeps()
    mail_server(server)

    send(message=replace(MESSAGE, recipient=stored))

    [envelope] = server.envelopes
    [message] = server.messages
    assert envelope.rcpt_tos == [sent]
    assert message["To"] == sent
    assert envelope.mail_from == "shop@xn--strae-oqa.example"
    assert message["From"] == "Tandem <shop@xn--strae-oqa.example>"
    assert message["Message-ID"] == f"<{MESSAGE.id}@xn--strae-oqa.example>"


@pytest.mark.parametrize("stored", ["zoe@ab\u200dc.example", "zoe@i❤.example"])
def test_a_domain_that_no_registry_gives_out_is_refused_for_good(mail_server, stored):
    server = Keeps()
    mail_server(server)

    with pytest.raises(PermanentError, match="no domain"):
        send(message=replace(MESSAGE, recipient=stored))
    assert not server.envelopes
