"""Joining and leaving a product's waiting list.

An address counts once its reader has followed the link in one message (double opt-in). An entry
that isn't confirmed is also the reason why a second request sends no second message.
"""

import hmac
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower, Now
from django.urls import reverse

from notifications.models import Notification
from notifications.outbox import account_message
from notifications.receipts.bounces import trouble_with
from orders.models import Product, Restock, WaitingListEntry
from project.text import isolate

CONFIRM_WITHIN = timedelta(days=3)
"""An entry that isn't confirmed is deleted then; the next request sends a message again."""
WAITS_FOR = timedelta(days=180)
"""An entry is deleted so long after it was made."""
KEEP_RESTOCKS = timedelta(days=400)

_INSERT = """
INSERT INTO orders_waitinglistentry (id, product_id, email, language)
VALUES (%s, %s, %s, %s)
ON CONFLICT DO NOTHING
RETURNING id
"""


def join(*, product: Product, email: str, language: str, is_known: bool) -> None:
    """Put the address on the product's waiting list, and send it the link that confirms it.

    `email` is in its one form. With `is_known` it is the signed-in shopper's own, confirmed one: it
    counts at once. A repeat changes nothing and sends nothing, and neither the answer nor its
    duration tells that it was one. An address from which messages came back gets none.
    """
    key = entry_id(product_id=product.pk, email=email)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, [key, product.pk, email, language])
            is_new = cursor.fetchone() is not None
        if is_known:
            here = Q(product=product, confirmed_at=None)
            entries_of(email).filter(here).update(confirmed_at=Now())
            return
        is_wanted = is_new and trouble_with(email) is None
        here_before = transaction.savepoint()
        _confirmation(key, product, email, language).save(force_insert=True)
        # Explicit savepoints: with `atomic` a rollback would take one statement more than a commit.
        end = transaction.savepoint_commit if is_wanted else transaction.savepoint_rollback
        end(here_before)


def confirm(key: UUID) -> None:
    """Let the entry count. A repeat, or an entry that is gone, changes nothing."""
    WaitingListEntry.objects.filter(pk=key, confirmed_at=None).update(confirmed_at=Now())


def leave(key: UUID) -> None:
    """Delete the entry. A repeat changes nothing."""
    WaitingListEntry.objects.filter(pk=key).delete()


def leave_all(message: Notification) -> None:
    """Take the address of a message that was complained about off each waiting list."""
    entries_of(message.recipient).delete()


def entry_id(*, product_id: int, email: str) -> UUID:
    """Return the id of the address's entry for the product. Without the secret none can be guessed.

    The link of an old message therefore stops a later request of the same address, too.
    """
    message = f"waiting\x00{product_id}\x00{email.lower()}"
    digest = hmac.digest(settings.SECRET_KEY.encode(), message.encode(), "sha256")
    return UUID(bytes=digest[:16], version=4)  # 122 bits that look random


def entries_of(email: str) -> QuerySet[WaitingListEntry]:
    """Return the address's entries, in whatever capitals it was typed."""
    return WaitingListEntry.objects.alias(small=Lower("email")).filter(small=email.lower())


def waiting_for(product_id: int) -> QuerySet[WaitingListEntry]:
    """Return the product's waiting list: its confirmed entries."""
    return WaitingListEntry.objects.filter(product_id=product_id, confirmed_at__isnull=False)


def unconfirmed_entries() -> QuerySet[WaitingListEntry]:
    """Return the entries whose link was not followed in time, for pruning."""
    return WaitingListEntry.objects.filter(confirmed_at=None, created_at__lt=Now() - CONFIRM_WITHIN)


def old_entries() -> QuerySet[WaitingListEntry]:
    """Return the entries that waited long enough, for pruning."""
    return WaitingListEntry.objects.filter(created_at__lt=Now() - WAITS_FOR)


def old_restocks() -> QuerySet[Restock]:
    """Return the restocks that ended long ago, for pruning."""
    return Restock.objects.filter(ended_at__lt=Now() - KEEP_RESTOCKS)


def confirmation_context(product: Product, *, key: UUID, language: str = "en") -> dict[str, Any]:
    """Return the context of the message that asks for an entry's confirmation."""
    url = settings.SITE_URL + reverse("waiting-confirm", args=[key])
    return {"product": isolate(product.text("name", language)), "url": url}


def _confirmation(key: UUID, product: Product, email: str, language: str) -> Notification:
    return account_message(
        event="back_in_stock_confirmation",
        recipient=email,
        language=language,
        context=confirmation_context(product, key=key, language=language),
    )
