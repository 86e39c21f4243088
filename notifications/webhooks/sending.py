"""One attempt: the request is made, signed and sent, and its answer is told by its meaning."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

from notifications.channels import http
from notifications.channels.answer import kept_words
from notifications.channels.deadline import Deadline
from notifications.channels.message import NoAnswerError, ProviderDownError
from notifications.models import WebhookDelivery
from notifications.models.webhook_pauses import LONGEST_RETRY_AFTER
from notifications.webhooks import addresses, signing
from notifications.webhooks.kinds import KINDS
from notifications.webhooks.signing import Request

SECONDS = 15.0
"""For the whole attempt: connection, request, and the answer's first 64 KB."""
GONE = 410
"""The endpoint is no longer wanted (Standard Webhooks)."""
AWAY = frozenset({429, 502, 503, 504})
"""Statuses that say that the endpoint as a whole takes nothing now."""


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended."""

    status: int | None
    """Of the answer; None: there was none."""
    words: str
    """What it said, or why there was no answer: cleaned, for results, errors and logs."""
    retry_after: timedelta | None = None

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status <= 299

    @property
    def is_away(self) -> bool:
        """Whether the endpoint as a whole doesn't answer, not only for this delivery."""
        return self.status is None or self.status in AWAY


def make_request(delivery: WebhookDelivery, *, now: datetime) -> Request:
    """Return the signed request. Raises ValueError for an address that no connection can have."""
    parts = urlsplit(delivery.endpoint.url)
    if not parts.hostname or parts.port == 0:
        raise ValueError("it has no host or no port")
    request = Request(
        url=delivery.endpoint.url,
        body=delivery.body.encode(),
        headers={
            "Content-Type": "application/json",
            "Accept": "*/*",
            "User-Agent": "Tandem",
        },
    )
    signing.add_identity(request, message_id=str(delivery.pk), at=now)
    if delivery.overtook:
        request.headers[signing.OVERTAKES] = str(delivery.overtook)
    KINDS[delivery.endpoint.kind].sign(delivery.endpoint, request, now)
    return request


def unusable(error: ValueError) -> str:
    """Say that the endpoint's address can't be used, and why."""
    return f"the address can't be used: {error}"


def send(request: Request) -> Outcome:
    """Send the request. Redirects aren't followed: any answer but 2xx is a refusal."""
    try:
        url = urlsplit(request.url)
        is_tls, deadline = url.scheme == "https", Deadline(SECONDS)
        answer = http.post(
            url,
            target=http.target(url),
            body=request.body,
            headers=request.headers,
            deadline=deadline,
            whom="endpoint",
            connect=partial(addresses.connect, is_tls=is_tls, deadline=deadline),
        )
    except (ProviderDownError, NoAnswerError) as error:
        return Outcome(status=None, words=kept_words(str(error)))
    except ValueError as error:  # a port or a name that no connection can have
        return Outcome(status=None, words=kept_words(unusable(error)))
    return Outcome(
        status=answer.status,
        words=kept_words(answer.words),
        retry_after=answer.wait_asked_for(longest=LONGEST_RETRY_AFTER),
    )
