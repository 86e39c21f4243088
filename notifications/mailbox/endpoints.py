"""The local mailbox's two endpoints: SMTP for e-mail, HTTP for SMS, on this machine only."""

import json
import logging
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from notifications.channels.answer import read_json
from notifications.mailbox.store import Mailbox

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
MAX_EMAIL = 2_000_000  # bytes
MAX_SMS = 64_000  # bytes of its request
IDLE_SECONDS = 10


def smtp_endpoint(mailbox: Mailbox, *, port: int) -> Controller:
    """Return a mail server that stores every e-mail; it has a thread from `start` to `stop`."""
    return Controller(
        _MailHandler(mailbox),
        hostname=HOST,
        port=port,
        data_size_limit=MAX_EMAIL,
        ident="Tandem mailbox",
    )


def http_endpoint(mailbox: Mailbox, *, port: int) -> ThreadingHTTPServer:
    """Return an SMS gateway that stores every SMS: `POST /sms`, `{"to", "text"}`.

    It has the protocol of `channels/http_sms.py`: a repeated Idempotency-Key gets the same id.
    """
    return _SmsGateway((HOST, port), mailbox)


class _MailHandler:
    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content
        assert content is not None  # aiosmtpd calls this with a whole message
        try:
            message_id = self._mailbox.add_email(
                sender=envelope.mail_from or "", recipients=list(envelope.rcpt_tos), raw=content
            )
        except OSError as error:
            logger.warning("an e-mail was not kept: %s", error)
            return "452 4.3.1 The mailbox can't be written"
        return f"250 2.0.0 Kept as {message_id}"


class _SmsGateway(ThreadingHTTPServer):
    daemon_threads = True
    # A second mailbox on the same port must fail, not share it.
    allow_reuse_port = False

    def __init__(self, address: tuple[str, int], mailbox: Mailbox) -> None:
        super().__init__(address, _SmsHandler)
        self.mailbox = mailbox


class _SmsHandler(BaseHTTPRequestHandler):
    server: _SmsGateway
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self.path != "/sms":
            return self._answer(404, {"error": "SMS go to /sms"}, close=True)
        if not length.isdecimal() or int(length) > MAX_SMS:
            return self._answer(413, {"error": f"at most {MAX_SMS} bytes"}, close=True)
        sms = _parsed(self.rfile.read(int(length)))
        if sms is None:
            return self._answer(422, {"error": 'expected {"to": "…", "text": "…"}'})
        try:
            message_id = self.server.mailbox.add_sms(
                recipient=sms["to"],
                text=sms["text"],
                key=self.headers.get("Idempotency-Key", ""),
            )
        except OSError as error:
            logger.warning("an SMS was not kept: %s", error)
            return self._answer(503, {"error": "the mailbox can't be written"})
        return self._answer(201, {"id": message_id})

    def _answer(self, status: int, body: dict[str, str], *, close: bool = False) -> None:
        content = json.dumps(body).encode()
        self.close_connection = self.close_connection or close
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        logger.debug(format, *args)


def _parsed(body: bytes) -> dict[str, str] | None:
    sms = read_json(body)
    if not isinstance(sms, dict) or not all(isinstance(sms.get(k), str) for k in ("to", "text")):
        return None
    return sms
