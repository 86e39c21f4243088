"""The web process with hooks that only the conformance run has: what a platform can't cause.

A refund of an order, a key that is a day old, a table that can't be written. The shop's own code
has none of it.
"""

import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import DatabaseError
from django.db.models import F
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from orders.agents import keys
from orders.agents.linking import views as linking
from orders.agents.linking.authorizing import hashed
from orders.agents.versions import READ_ORDERS
from orders.lifecycle.refunds import refund
from orders.models import AgentAnswer, AgentClient, AgentLink, User
from project.urls import urlpatterns as shop_patterns

PERSON = "person@example.org"
_claimed = keys._claimed
_outage = AgentAnswer.objects.filter(status=599)


def _claimed_unless_down(ids: list[UUID], fingerprint: str) -> tuple[AgentAnswer, bool]:
    """The outage is a row, for there are two processes."""
    if _outage.exists():
        real = AgentAnswer.objects.get_or_create

        def fail(*_args: Any, **_options: Any) -> Any:
            raise DatabaseError("no space left")

        AgentAnswer.objects.get_or_create = fail
        try:
            return _claimed(ids, fingerprint)
        finally:
            AgentAnswer.objects.get_or_create = real
    return _claimed(ids, fingerprint)


keys._claimed = _claimed_unless_down


@csrf_exempt
def adjust(request: HttpRequest, order_id: UUID) -> JsonResponse:
    sent = json.loads(request.body)
    lines = {sent["line_item_id"]: sent["quantity"]}
    refund(order_id=order_id, refund_id=uuid4(), restock=True, lines=lines, reason="Defect")
    return JsonResponse({"ok": True})


@csrf_exempt
def age(request: HttpRequest) -> JsonResponse:

    hours = timedelta(hours=json.loads(request.body)["hours"])
    AgentAnswer.objects.update(created_at=F("created_at") - hours)
    for row in keys.old_answers():
        row.delete()
    return JsonResponse({"ok": True})


@csrf_exempt
def outage(request: HttpRequest) -> JsonResponse:
    _outage.delete()
    if json.loads(request.body)["enabled"]:
        AgentAnswer.objects.create(key=uuid4(), fingerprint="outage", status=599)
    return JsonResponse({"ok": True})


def link(request: HttpRequest) -> HttpResponse:
    """Let the person of the run be signed in, as in a browser that the suite doesn't have."""
    request.user = User.objects.get(email=PERSON)
    return linking.link(request)


@csrf_exempt
def mint(request: HttpRequest) -> JsonResponse:
    kind = json.loads(request.body)["kind"]
    token = secrets.token_urlsafe(32)
    hour = timedelta(hours=1)
    now = datetime.now(UTC)
    client_id = "foreign-client" if kind == "foreign_client" else "suite-agent"
    AgentLink.objects.create(
        client=AgentClient.objects.get(client_id=client_id),
        user=User.objects.get(email=PERSON),
        scopes=[READ_ORDERS],
        redirect_uri="https://platform.test/callback",
        challenge="",
        access_hash=hashed(token),
        access_until=now - hour if kind == "expired" else now + hour,
        ended_at=now if kind == "revoked" else None,
    )
    return JsonResponse({"access_token": token})


_HOOKS = [
    path("accounts/link/", link),
    path("testing/oauth/mint", mint),
    path("ucp/v1/testing/orders/<uuid:order_id>/adjust", adjust),
    path("ucp/v1/testing/idempotency/age", age),
    path("ucp/v1/testing/idempotency/outage", outage),
]
urlpatterns = [*_HOOKS, *shop_patterns]
