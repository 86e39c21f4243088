"""SMS by any gateway that takes a JSON POST: `{"to": "+49…", "text": "…"}` at its URL.

A 2xx status means success, unless SMS_SUCCESS names the place in the answer that tells it.

`Idempotency-Key` is the job's id: a gateway that honours it sends a repeated message once. The
URL of one that doesn't ends in `#no-keys`; it gets no second request when the first one may have
been accepted. `https://user:password@…` is sent as basic authentication.
"""

import json
from urllib.parse import urlsplit

from django.conf import settings

from notifications.channels import http
from notifications.channels.answer import as_text, field, read_json
from notifications.channels.deadline import Deadline
from notifications.channels.message import Message, NoAnswerError, Receipt
from project.conf.sms_success import Success
from project.jobs.errors import PermanentError

NO_KEYS = "no-keys"
REPEATED = 409
"""A request with the same key is still being processed, or has been: what became of it isn't said
(Idempotency-Key, draft-ietf-httpapi-idempotency-key-header, 2.6)."""


def repeats_are_safe(url: str) -> bool:
    """Tell whether the gateway recognises a second request by its key."""
    return urlsplit(url).fragment != NO_KEYS


def send(message: Message, *, url: str, deadline: Deadline) -> Receipt:
    """Send the SMS to the gateway and return its answer.

    Raises PermanentError, ProviderDownError or RefusesUsError with the gateway's words, or
    NoAnswerError.
    """
    parts = urlsplit(url)
    answer = http.post(
        parts,
        target=http.target(parts),
        body=json.dumps({"to": message.recipient, "text": message.text}).encode(),
        headers=http.json_headers(parts, key=str(message.id)),
        deadline=deadline,
    )
    if answer.status == REPEATED and repeats_are_safe(url):
        raise NoAnswerError(answer.words)
    if not 200 <= answer.status <= 299:
        raise answer.refusal()
    success = settings.SMS_SUCCESS.get(parts.hostname or "") or settings.SMS_SUCCESS.get("")
    if success is not None:
        _insist(success, answer)
    return Receipt(provider_id=field(read_json(answer.body), "id"), answer=answer.words)


def _insist(success: Success, answer: http.Answer) -> None:
    """Raise PermanentError if a 2xx says inside that it is none, NoAnswerError if it doesn't say.

    Without the place that the setting names it isn't the gateway that speaks: a proxy's page, or
    an answer that was broken off.
    """
    try:
        said = success.find(read_json(answer.body))
    except LookupError:
        raise NoAnswerError(f"no {'.'.join(success.path)} in its answer: {answer.words}") from None
    if as_text(said) not in success.values:
        raise PermanentError(answer.words)
