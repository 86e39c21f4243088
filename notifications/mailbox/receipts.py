"""The local mailbox's receipts: it reports each message's delivery to the shop, as providers do.

Addresses that contain `bounce` or `complain` do so, phone numbers that end in 000 fail; all
others are delivered. A thread sends the receipts a little later, so that the mailbox's endpoints
never wait for the shop.
"""

import json
import logging
import queue
import threading
import time
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from notifications.mailbox.store import MailboxMessage
from notifications.receipts.signature import sign

logger = logging.getLogger(__name__)

DELAY = 1.0
"""Seconds: a message's own commit comes first."""
PAUSE = 0.05
TRIES = 5
WAITING = 200
"""The maximum of waiting receipts; under load, most messages get none."""


class Reporter:
    """Sends receipts to the shop on this machine; `start` it once, pass `tell` to the mailbox."""

    def __init__(self, *, port: int) -> None:
        self._port = port
        self._waiting: queue.Queue[tuple[float, str, dict[str, str]]] = queue.Queue(WAITING)

    def start(self) -> None:
        threading.Thread(target=self._run, name="receipts", daemon=True).start()

    def tell(self, message: MailboxMessage) -> None:
        """Queue a receipt for this message; drop it if the queue is full."""
        try:
            self._waiting.put_nowait((time.monotonic() + DELAY, *receipt(message)))
        except queue.Full:
            pass  # the mailbox's pages still show the message

    def _run(self) -> None:
        while True:
            due, provider, body = self._waiting.get()
            time.sleep(max(PAUSE, due - time.monotonic()))
            for _try in range(TRIES):
                if self._post(provider, json.dumps(body).encode()):
                    break
                time.sleep(DELAY)

    def _post(self, provider: str, body: bytes) -> bool:
        """Tell whether the receipt is finished: the shop has it, or will never accept it."""
        timestamp = int(time.time())
        secret = settings.RECEIPT_SECRETS.get(provider, "")
        headers = {
            "Host": urlsplit(settings.SITE_URL).netloc,
            "Content-Type": "application/json",
            "Receipt-Timestamp": str(timestamp),
            "Receipt-Signature": sign(body, secret=secret, timestamp=timestamp),
        }
        connection = HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            connection.request("POST", f"/receipts/{provider}/", body, headers)
            status = connection.getresponse().status
        except (OSError, HTTPException) as error:
            logger.debug("a receipt wasn't taken: %s", error)
            return False
        finally:
            connection.close()
        return status != 404 and status < 500


def receipt(message: MailboxMessage) -> tuple[str, dict[str, Any]]:
    """Return the provider's name and the receipt of this message."""
    recipient = next(iter(message.recipients), "")
    if not message.is_email:
        fails = recipient.endswith("000")
        status, reason = ("failed", "no such number") if fails else ("delivered", "")
        return "sms", {"id": message.id, "status": status, "reason": reason}
    event, reason = "delivered", ""
    if "bounce" in recipient.lower():
        event, reason = "bounced", "550 5.1.1 no such mailbox"
    elif "complain" in recipient.lower():
        event, reason = "complained", "marked as spam"
    return "email", {"message_id": message.message_id, "event": event, "reason": reason}
