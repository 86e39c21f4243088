"""Customers who want announcements."""

from collections.abc import Sequence
from datetime import datetime

from allauth.account.models import EmailAddress

from orders.messages.announcements import plan, texts_digest
from orders.models import Announcement, User


def subscribe(count: int, *, language: str = "en") -> Sequence[User]:
    """Add so many customers who asked for announcements and have confirmed their address."""
    start = User.objects.count()
    users = User.objects.bulk_create(
        User(
            username=f"reader-{start + number}",
            email=f"reader-{start + number}@example.org",
            name=f"Reader {start + number}",
            language=language,
            wants_announcements=True,
        )
        for number in range(count)
    )
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in users
    )
    return users


def draft(**fields: str) -> Announcement:
    values = {"subject_en": "New tea", "text_en": "It has come.\n\nSee https://example.org/tea"}
    return Announcement.objects.create(**values | fields)


def plan_as_shown(announcement: Announcement, *, at: datetime | None = None) -> bool:
    """Send the announcement with the texts that it has here; for None, now."""
    return plan(announcement.pk, at=at, user_id=None, shown=texts_digest(announcement))
