"""`POST /receipts/<provider>/`: one receipt of a provider.

200: it was read, the body says whether it changed the message; 401: the signature is missing or
wrong; 404: there is no such provider or message (yet: a gateway may be faster than our commit, so
it should try again); 413 and 422: it can't be read.
"""

import logging
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from notifications.channels.answer import read_json
from notifications.models import Notification
from notifications.receipts import email, sms
from notifications.receipts.effect import apply
from notifications.receipts.report import MalformedError
from notifications.receipts.signature import is_signed

logger = logging.getLogger(__name__)

MAX_BODY = 64 * 1024  # bytes

FORMATS = {Notification.Channel.EMAIL.value: email, Notification.Channel.SMS.value: sms}


@csrf_exempt  # signed instead
@never_cache
@require_POST
def receive(request: HttpRequest, provider: str) -> JsonResponse:
    """Store a provider's receipt of a message."""
    channel, _colon, host = provider.partition(":")
    if channel not in FORMATS or (host and channel != Notification.Channel.SMS):
        return _refuse(404, f"No such provider: {', '.join(FORMATS)}, or sms:HOST.")
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > MAX_BODY:
        return _refuse(413, f"At most {MAX_BODY} bytes.")
    secret = settings.RECEIPT_SECRETS.get(provider)
    if not secret or not is_signed(
        request.body,
        secret=secret,
        timestamp=request.headers.get("Receipt-Timestamp", ""),
        signature=request.headers.get("Receipt-Signature", ""),
    ):
        return _refuse(401, "Receipt-Signature: not signed with this provider's secret, or stale.")
    try:
        report = FORMATS[channel].read(_parsed(request.body))
    except MalformedError as error:
        return _refuse(422, str(error))
    is_news = apply(report, channel=channel, gateway=provider if host else "")
    if is_news is None:
        return _refuse(404, "No such message.")
    if is_news:
        logger.info("%s: a message was %s", provider, report.delivery)
    return JsonResponse({"delivery": report.delivery, "changed": is_news})


def _parsed(body: bytes) -> dict[str, Any]:
    parsed = read_json(body)
    if parsed is None:
        raise MalformedError("the body isn't JSON")
    if not isinstance(parsed, dict):
        raise MalformedError("the body isn't a JSON object")
    return parsed


def _refuse(status: int, detail: str) -> JsonResponse:
    return JsonResponse({"detail": detail}, status=status)
