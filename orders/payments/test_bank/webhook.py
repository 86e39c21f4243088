"""The test bank's webhook: signed as in `notifications.receipts.signature`, sent by real HTTP.

A thread for each payment sends it, so that the bank's page doesn't wait for the shop; it tries
again for a while. If its process stops before that, the shop asks the bank by itself.
"""

import json
import logging
import threading
import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.crypto import salted_hmac

from notifications.receipts.signature import sign
from orders.payments.test_bank.store import BankPayment

logger = logging.getLogger(__name__)

TIMESTAMP = "Bank-Timestamp"
SIGNATURE = "Bank-Signature"
PATH = "/payments/test-bank/webhook"
PAUSES = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before each try."""
TIMEOUT = 10.0


def webhook_secret() -> str:
    """Return the secret that bank and shop of this run share."""
    return salted_hmac("orders.payments.test_bank", "webhook", algorithm="sha256").hexdigest()


def said(payment: BankPayment) -> dict[str, str]:
    """Return what the bank says of a payment, by webhook or when asked."""
    return {
        "id": payment.id,
        "attempt": payment.attempt_id,
        "outcome": payment.outcome,
        "amount": payment.amount,
        "currency": payment.currency,
    }


def send_later(payment: BankPayment) -> threading.Thread:
    """Send the webhook as soon as the payment's decision is known; return the thread."""
    thread = threading.Thread(target=_send, args=[payment], name="test-bank", daemon=True)
    thread.start()
    return thread


def _send(payment: BankPayment) -> None:
    decision = payment.decision
    assert decision is not None
    time.sleep(max(0.0, decision.known_at - time.time()))
    for pause in PAUSES:
        time.sleep(pause)
        if post_webhook({"type": "payment", "payment": said(payment)}):
            return
    logger.warning("the webhook of %s wasn't taken", payment.id)


def post_webhook(event: object) -> bool:
    """Send one event; tell whether the shop took it."""
    body, timestamp = json.dumps(event).encode(), int(time.time())
    site = urlsplit(settings.SITE_URL)
    kind = HTTPSConnection if site.scheme == "https" else HTTPConnection
    connection = kind(site.hostname or "", site.port, timeout=TIMEOUT)
    headers = {
        "Content-Type": "application/json",
        TIMESTAMP: str(timestamp),
        SIGNATURE: sign(body, secret=webhook_secret(), timestamp=timestamp),
    }
    try:
        connection.request("POST", PATH, body, headers)
        return connection.getresponse().status == 200
    except (OSError, HTTPException) as error:
        logger.info("the webhook wasn't taken: %s", error)
        return False
    finally:
        connection.close()
