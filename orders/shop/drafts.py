"""Checkout forms that were sent and didn't become an order, so that nothing typed is ever lost.

The form is kept in a row and the answer redirects to its page (POST, redirect, GET): a reload or a
step back shows it again and sends nothing. The session names its shopper's draft, so that the
checkout is filled in after a visit elsewhere, too.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse

from orders.models import CheckoutDraft
from orders.placing.request import MAX_LINES

_DRAFT = "checkout_draft"
"""The session's entry with the id of its draft."""
_LOOSE = "checkout_draft"
"""The cookie with the id of a draft that no session names."""
KEEP = timedelta(days=1)
_LONGEST = 1000
"""Characters of a value that are kept: more than any field takes, so it stays too long."""


def sent_fields(post: QueryDict, names: Iterable[str]) -> dict[str, list[str]]:
    """Return the form's fields as JSON can keep them.

    NUL becomes the replacement character, which no field takes either.
    """
    return {
        name: [value[:_LONGEST].replace("\x00", "\ufffd") for value in values]
        for name in names
        if (values := post.getlist(name)[: MAX_LINES + 1])
    }


def keep_draft(
    session: SessionBase | None, *, fields: Mapping[str, list[str]], answer: Mapping[str, Any]
) -> UUID:
    """Keep the form and the answer to it, and return the draft's id.

    Without a session the draft is one of its own: what came without the right token must not fill
    in anybody's next checkout.
    """
    named = session.get(_DRAFT) if session is not None else None
    draft_id = UUID(named) if named else uuid4()
    CheckoutDraft.objects.update_or_create(
        pk=draft_id, defaults={"fields": fields, "answer": answer, "changed_at": Now()}
    )
    if session is not None and not named:
        session[_DRAFT] = str(draft_id)
    return draft_id


def address_of(draft_id: UUID) -> str:
    """Return the address of the draft's page."""
    return f"{reverse('checkout')}?draft={draft_id}"


def read_draft(request: HttpRequest, draft_id: str) -> CheckoutDraft | None:
    """Return the browser's draft with this id; None if it is another's, none, or too old.

    An address that was sent to somebody shows them nothing of what was typed.
    """
    own = (request.session.get(_DRAFT), request.COOKIES.get(_LOOSE))
    return _read(draft_id) if draft_id in own else None


def name_loose(response: HttpResponse, draft_id: UUID) -> None:
    """Let the browser read a draft that no session names."""
    response.set_cookie(
        _LOOSE,
        str(draft_id),
        max_age=KEEP,
        path=reverse("checkout"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _read(draft_id: str) -> CheckoutDraft | None:
    try:
        wanted = UUID(draft_id)
    except ValueError:
        return None
    return CheckoutDraft.objects.filter(pk=wanted, changed_at__gte=Now() - KEEP).first()


def draft_of(session: SessionBase) -> CheckoutDraft | None:
    """Return the draft that the session names."""
    return _read(session.get(_DRAFT, ""))


def drop_draft(session: SessionBase) -> None:
    """Forget what was typed: it has become an order."""
    if named := session.pop(_DRAFT, None):
        CheckoutDraft.objects.filter(pk=named).delete()


def old_drafts() -> QuerySet[CheckoutDraft]:
    return CheckoutDraft.objects.filter(changed_at__lt=Now() - KEEP)


def as_sent(fields: Mapping[str, list[str]]) -> QueryDict:
    """Return the kept fields as the form takes them."""
    data = QueryDict(mutable=True)
    for name, values in fields.items():
        data.setlist(name, values)
    return data
