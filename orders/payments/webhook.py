"""`POST /payments/<provider>/webhook`: one event of a payment provider.

200: it was read, whether it is about an attempt of ours or not; 400: the signature or the body is
wrong; 404: the shop doesn't use this provider; 413: too large; 503: again in a moment, please.
"""

import logging

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from orders.lifecycle.errors import OrderBusy
from orders.payments.attempts import enter, find_attempt
from orders.payments.provider import BadSignature
from orders.payments.providers import UnknownProvider, provider_named

logger = logging.getLogger(__name__)

MAX_BODY = 256 * 1024  # bytes
RETRY_SECONDS = 5


@csrf_exempt  # signed instead
@never_cache
@require_POST
def receive(request: HttpRequest, provider: str) -> JsonResponse:
    """Enter what a provider reports."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > MAX_BODY:
        return _refuse(413, f"At most {MAX_BODY} bytes.")
    try:
        report = provider_named(provider).read_webhook(request.body, request.headers)
    except UnknownProvider:
        return _refuse(404, "The shop doesn't use this provider.")
    except BadSignature:
        return _refuse(400, "Not signed with this shop's secret, or too long ago.")
    except ValueError as error:
        logger.warning("%s: a webhook can't be read: %s", provider, error)
        return _refuse(400, "The body can't be read.")
    attempt = find_attempt(provider=provider, report=report) if report else None
    if report is None or attempt is None:
        return JsonResponse({"known": False})
    try:
        enter(attempt=attempt, report=report)
    except OrderBusy:
        response = _refuse(503, "Busy: please send it again.")
        response["Retry-After"] = str(RETRY_SECONDS)
        return response
    return JsonResponse({"known": True})


def _refuse(status: int, detail: str) -> JsonResponse:
    return JsonResponse({"detail": detail}, status=status)
