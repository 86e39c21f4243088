r"""Mend the recipients that 0013 left: of old messages, and those without a canonical form.

An update of such a row would fail by now, and an operator may send an old message again. What has
no canonical form, or went to that one as well, is escaped: `m\u0131ke@example.org`. Each row is
written by itself, so messages can be sent meanwhile.
"""

from typing import Any

from django.db import IntegrityError, migrations, transaction

from project.email_addresses import STORED, escaped_address, storable_address

BATCH = 1000


def mend_recipients(apps: Any, schema_editor: Any) -> None:
    Notification = apps.get_model("notifications", "Notification")
    emails = (
        Notification.objects.filter(channel="email")
        .exclude(recipient__regex=STORED)
        .order_by("pk")
    )
    reached = None
    while batch := list(
        (emails if reached is None else emails.filter(pk__gt=reached)).values_list(
            "pk", "recipient"
        )[:BATCH]
    ):
        for pk, recipient in batch:
            _mend(Notification.objects.filter(pk=pk, recipient=recipient), recipient)
        reached = batch[-1][0]


def _mend(row: Any, recipient: str) -> None:
    try:
        with transaction.atomic():
            row.update(recipient=storable_address(recipient))
    except IntegrityError:  # this message went to the canonical form, too
        row.update(recipient=escaped_address(recipient))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("notifications", "0015_recipient_check")]

    operations = [migrations.RunPython(mend_recipients, migrations.RunPython.noop, elidable=True)]
