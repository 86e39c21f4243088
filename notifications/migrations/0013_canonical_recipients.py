"""Bring the recipients of open and reported e-mails into the form of `project.email_addresses`.

Open messages still go out, and reported ones tell which addresses bounce. Others stay as they were
sent. Each row is written by itself, so messages can be sent meanwhile.
"""

from typing import Any

from django.db import IntegrityError, migrations, transaction
from django.db.models import Q

from project.email_addresses import InvalidAddressError, canonical_address

BATCH = 1000
SUSPICIOUS = ("[^!-~]", "@.*[A-Z]", "@(.*[.])?xn--")
OPEN = ("queued", "running", "unknown")


def change_recipients(apps: Any, schema_editor: Any) -> None:
    Notification = apps.get_model("notifications", "Notification")
    emails = Notification.objects.filter(
        Q(status__in=OPEN) | ~Q(delivery=""),
        Q(*(("recipient__regex", pattern) for pattern in SUSPICIOUS), _connector=Q.OR),
        channel="email",
    ).order_by("pk")
    reached = None
    while batch := list(
        (emails if reached is None else emails.filter(pk__gt=reached)).values_list(
            "pk", "recipient"
        )[:BATCH]
    ):
        for pk, recipient in batch:
            _change(Notification.objects.filter(pk=pk, recipient=recipient), recipient)
        reached = batch[-1][0]


def _change(row: Any, recipient: str) -> None:
    try:
        with transaction.atomic():
            row.update(recipient=canonical_address(recipient))
    except (InvalidAddressError, IntegrityError):
        pass  # it has no other form, or this message went to that form, too


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("notifications", "0012_open_offers")]

    operations = [migrations.RunPython(change_recipients, migrations.RunPython.noop, elidable=True)]
