"""The store, its two endpoints, and the command that runs them."""

import json
import os
import signal
import smtplib
import stat
import subprocess
import sys
import threading
import time
from email.message import EmailMessage
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command

from notifications.mailbox import receipts
from notifications.mailbox.endpoints import MAX_SMS
from notifications.mailbox.store import SLACK, Mailbox, MailboxMessage
from notifications.models import Notification
from notifications.tasks import send
from project.local.data_folder import free_port

RAW = b"Subject: =?utf-8?b?5L2g5aW9?=\r\nTo: a@example.org\r\n\r\nHello.\r\n"


def add(mailbox: Mailbox, recipient: str = "a@example.org", raw: bytes = RAW) -> str:
    return mailbox.add_email(sender="shop@example.org", recipients=[recipient], raw=raw)


def kept(mailbox: Mailbox, raw: bytes = RAW) -> MailboxMessage:
    message = mailbox.get(add(mailbox, raw=raw))
    assert message
    return message


def post(port: int, path: str = "/sms", *, body: bytes, key: str = "") -> tuple[int, dict]:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    headers = {"Idempotency-Key": key} if key else {}
    connection.request("POST", path, body, headers)
    response = connection.getresponse()
    answer = response.status, json.loads(response.read())
    connection.close()
    return answer


def sms_port(settings) -> int:
    return int(settings.SMS_URL.rpartition(":")[2].partition("/")[0])


SMS = json.dumps({"to": "+4915112345678", "text": "你好"}).encode()


def test_an_email_is_kept_as_it_came(tmp_path):
    message = kept(Mailbox(tmp_path / "mailbox"))

    assert message.raw == RAW
    assert message.subject == "你好"
    assert message.text == "Hello.\r\n"
    assert message.html == ""


def test_bytes_that_are_no_text_are_kept_and_shown_all_the_same(tmp_path):
    message = kept(Mailbox(tmp_path), raw=b"Subject: x\r\n\r\n\xff\xfe")

    assert message.raw == b"Subject: x\r\n\r\n\xff\xfe"
    assert message.source.encode()


def test_messages_come_newest_first(tmp_path):
    mailbox = Mailbox(tmp_path)
    ids = [add(mailbox) for _ in range(3)]

    assert [message.id for message in mailbox.messages()] == ids[::-1]


def test_the_folder_and_its_files_are_for_their_owner_only(tmp_path):
    mailbox = Mailbox(tmp_path / "data" / "mailbox")
    add(mailbox)

    [name] = mailbox.names()
    assert stat.S_IMODE(mailbox.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((mailbox.folder / name).stat().st_mode) == 0o600


def test_only_the_newest_are_kept(tmp_path):
    mailbox = Mailbox(tmp_path, keep=3)
    ids = [add(mailbox) for _ in range(3 + SLACK + 1)]

    assert [message.id for message in mailbox.messages()] == ids[:-4:-1]


def test_a_message_that_is_half_written_is_not_there(tmp_path):
    (tmp_path / "1-x.json.partial").write_text("{")

    assert list(Mailbox(tmp_path).messages()) == []


def test_a_message_that_is_pruned_while_one_reads_is_left_out(tmp_path):
    mailbox = Mailbox(tmp_path)
    add(mailbox)

    assert list(mailbox.messages(["00-gone.json", *mailbox.names()]))


def test_a_mailbox_that_was_never_written_is_empty(tmp_path):
    assert list(Mailbox(tmp_path / "nowhere").messages()) == []


def test_the_sms_endpoint_answers_a_repeated_key_with_the_same_id(mailbox, settings):
    first = post(sms_port(settings), body=SMS, key="key-1")
    second = post(sms_port(settings), body=SMS, key="key-1")
    other = post(sms_port(settings), body=SMS, key="key-2")

    assert first == second
    assert other[1]["id"] != first[1]["id"]
    assert len(list(mailbox.messages())) == 2


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/sms", b"not json", 422),
        ("/sms", b'{"to": 1, "text": "x"}', 422),
        ("/sms", b"x" * (MAX_SMS + 1), 413),
        ("/other", SMS, 404),
    ],
)
def test_the_sms_endpoint_refuses_what_is_no_sms(mailbox, settings, path, body, status):
    assert post(sms_port(settings), path, body=body)[0] == status
    assert list(mailbox.messages()) == []


def test_the_mail_endpoint_asks_to_come_back_when_the_disk_refuses(mailbox, email_port):
    mailbox.folder.write_text("a file where the folder should be")

    with (
        smtplib.SMTP("127.0.0.1", email_port, timeout=5) as client,
        pytest.raises(smtplib.SMTPDataError, match="452"),
    ):
        client.sendmail("a@example.org", ["b@example.org"], RAW)


@pytest.fixture
def running_command(tmp_path):
    """`manage.py mailbox` as a process of its own, listening."""
    ports = {"MAILBOX_SMTP_PORT": str(free_port()), "MAILBOX_HTTP_PORT": str(free_port())}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "mailbox"],
        env={**os.environ, **ports, "TANDEM_LOCAL": "1", "TANDEM_DATA": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    process.stdout.readline()  # it says so once it listens
    yield process, {name: int(port) for name, port in ports.items()}
    process.kill()
    process.communicate()


def test_the_command_keeps_both_kinds_and_stops_at_once(running_command, tmp_path):
    process, ports = running_command
    message = EmailMessage()
    message["Subject"] = "Hello"
    message.set_content("Text")
    with smtplib.SMTP("127.0.0.1", ports["MAILBOX_SMTP_PORT"], timeout=5) as client:
        client.send_message(message, "a@example.org", ["b@example.org"])
    post(ports["MAILBOX_HTTP_PORT"], body=SMS)

    began = time.monotonic()
    process.send_signal(signal.SIGTERM)

    assert process.wait(timeout=30) == 0
    assert time.monotonic() - began < 8
    assert [m.channel for m in Mailbox(tmp_path / "mailbox").messages()] == ["sms", "email"]


def test_the_command_says_which_ports_it_lacks(settings, monkeypatch):
    settings.TANDEM_LOCAL = True
    monkeypatch.delenv("MAILBOX_SMTP_PORT", raising=False)

    with pytest.raises(CommandError, match="MAILBOX_SMTP_PORT"):
        call_command("mailbox")


def test_the_command_refuses_to_run_anywhere_but_locally(settings):
    settings.TANDEM_LOCAL = False

    with pytest.raises(CommandError, match="local"):
        call_command("mailbox")


@pytest.mark.parametrize(
    ("recipient", "delivery", "reason"),
    [
        ("zoe@example.org", "delivered", ""),
        ("Bounce@example.org", "bounced", "550 5.1.1 no such mailbox"),
        ("complain@example.org", "complained", "marked as spam"),
        ("+4915112345678", "delivered", ""),
        ("+4915112345000", "bounced", "no such number"),
    ],
)
def test_the_mailbox_tells_the_shop_what_became_of_a_message(
    recipient, delivery, reason, mailbox, queued, settings, live_server, monkeypatch
):
    monkeypatch.setattr(receipts, "DELAY", 0.01)
    settings.RECEIPT_SECRETS = {"email": "a", "sms": "b"}
    reporter = receipts.Reporter(port=urlsplit(live_server.url).port)
    reporter.start()
    message = queued("email" if "@" in recipient else "sms")
    Notification.objects.filter(pk=message.pk).update(recipient=recipient)

    send(str(message.pk))
    reporter.tell(next(mailbox.messages()))

    deadline = time.monotonic() + 10
    while not message.delivery and time.monotonic() < deadline:
        time.sleep(0.02)
        message.refresh_from_db()
    assert (message.delivery, message.delivery_reason) == (delivery, reason)


def test_a_rush_of_receipts_never_holds_up_the_mailbox(mailbox):
    reporter = receipts.Reporter(port=1)  # never started, so it tells nothing
    mailbox.add_sms(recipient="+49", text="Hi")
    message = next(mailbox.messages())

    def rush() -> None:
        for _message in range(receipts.WAITING + 5):
            reporter.tell(message)

    mail = threading.Thread(target=rush, daemon=True)
    mail.start()
    mail.join(timeout=20)

    assert not mail.is_alive(), "it waits for a place among the receipts"
