"""Keyed hashes of the addresses of erased persons, so that a restored backup erases them again.

The hash is an HMAC by SECRET_KEY: without the key, which is in no backup, it names nobody. What was
erased after a backup can't be known by that backup. So it is kept twice: in a table, which a
restore reads before it replaces the database, and in a journal beside the backups
(`BACKUP_FOLDER`), which is there when the database is lost.
"""

import hmac
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db.models import CharField, QuerySet
from django.db.models.functions import Cast, Lower, Now

from notifications.models import Notification
from orders.models import ErasedAddress, Order, User, WaitingListEntry
from project.backup.place import Place, open_place

JOURNAL = "erased.txt"
"""The journal's name beside the backups: a line with time and hash for each address."""
_LINE = re.compile(r"(?P<at>\S+) (?P<digest>[0-9a-f]{64})")


def digest_of(email: str, *, secret: str | None = None) -> str:
    """Return the keyed hash of the address, in any case."""
    key = secret or settings.SECRET_KEY
    said = f"erased person:{email.lower()}"
    return hmac.new(key.encode(), said.encode(), sha256).hexdigest()


def remember(emails: Iterable[str]) -> None:
    """Keep the hashes of these addresses with the time: in the table, and in the journal."""
    rows = [ErasedAddress(digest=digest_of(email), erased_at=Now()) for email in emails]
    ErasedAddress.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["digest"], update_fields=["erased_at"]
    )
    if settings.BACKUP_FOLDER:
        digests = [row.digest for row in rows]
        with open_place(settings.BACKUP_FOLDER) as backups:
            note(backups, ErasedAddress.objects.filter(digest__in=digests))


def note(backups: Place, rows: Iterable[ErasedAddress]) -> None:
    """Write these into the journal beside the backups."""
    backups.note(JOURNAL, [f"{row.erased_at.isoformat()} {row.digest}" for row in rows])


def erased_since(backups: Place, moment: datetime) -> dict[str, datetime]:
    """Return the hashes that the journal has since then, each with its last time."""
    found: dict[str, datetime] = {}
    for line in backups.notes(JOURNAL):
        # A line that a crash cut off is passed over.
        if (kept := _LINE.fullmatch(line)) and datetime.fromisoformat(kept["at"]) >= moment:
            found[kept["digest"]] = datetime.fromisoformat(kept["at"])
    return found


def addresses_of(digests: Iterable[str]) -> list[str]:
    """Return the addresses in the database, in small letters, of which these are the hashes.

    It reads each address once: a minute for some million.
    """
    known = set(digests)
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return [
        email
        for email in (_addresses() if known else ())
        if any(digest_of(email, secret=secret) in known for secret in secrets)
    ]


def _addresses() -> Iterator[str]:
    columns: tuple[tuple[QuerySet[Any], str], ...] = (
        (Order.objects.filter(erased_at=None), "email"),
        (User.objects.exclude(email=""), "email"),
        (EmailAddress.objects.all(), "email"),
        (WaitingListEntry.objects.all(), "email"),
        (Notification.objects.filter(channel=Notification.Channel.EMAIL), "recipient"),
    )
    seen: set[str] = set()
    for rows, column in columns:
        small = rows.order_by().annotate(small=Lower(Cast(column, CharField())))
        for email in small.values_list("small", flat=True).distinct().iterator():
            if email not in seen:
                seen.add(email)
                yield email
