"""Bring stored e-mail addresses into the one form of `project.email_addresses`.

Orders are read in batches without a lock, and each row is written by itself: orders can be placed
meanwhile, and a second run changes nothing. Two accounts may turn out to be one mailbox: both are
kept as they are, and named in the output; `manage.py audit` names them until an operator changes
the address of one (docs/accounts.md).
"""

from typing import Any

from django.db import migrations, transaction
from django.db.models import Q
from django.db.models.functions import Lower

from project.email_addresses import InvalidAddressError, canonical_address

BATCH = 1000


def is_other_form(field: str) -> Q:
    """Return the filter for the addresses that may have another form."""
    suspicious = ("[^!-~]", "@.*[A-Z]", "@(.*[.])?xn--")
    return Q(*((f"{field}__regex", pattern) for pattern in suspicious), _connector=Q.OR)


def canonical(address: str) -> str:
    """Return the address in its one form; one that has none stays."""
    try:
        return canonical_address(address)
    except InvalidAddressError:
        return address


def change_orders(apps: Any, schema_editor: Any) -> None:
    Order = apps.get_model("orders", "Order")
    reached = 0
    while batch := list(
        Order.objects.filter(is_other_form("email"), number__gt=reached)
        .order_by("number")
        .values_list("number", "email")[:BATCH]
    ):
        for number, email in batch:
            if (changed := canonical(email)) != email:
                Order.objects.filter(number=number, email=email).update(email=changed)
        reached = batch[-1][0]


def change_accounts(apps: Any, schema_editor: Any) -> None:
    User = apps.get_model("orders", "User")
    EmailAddress = apps.get_model("account", "EmailAddress")
    user_ids = {
        *User.objects.filter(is_other_form("email")).values_list("pk", flat=True),
        *EmailAddress.objects.filter(is_other_form("email")).values_list("user_id", flat=True),
    }
    for user_id in sorted(user_ids):
        with transaction.atomic():
            _change_account(User, EmailAddress, user_id)


def _change_account(User: Any, EmailAddress: Any, user_id: int) -> None:
    user = User.objects.select_for_update().get(pk=user_id)
    rows = list(EmailAddress.objects.filter(user_id=user_id).order_by("-verified", "pk"))
    for email in {canonical(user.email), *(canonical(row.email) for row in rows)}:
        others = [
            *User.objects.alias(small=Lower("email"))
            .filter(small=email.lower())
            .exclude(pk=user_id)
            .exclude(email="")
            .values_list("pk", flat=True),
            *EmailAddress.objects.filter(email=email.lower(), verified=True)
            .exclude(user_id=user_id)
            .values_list("user_id", flat=True),
        ]
        if others:
            print(f"\n  Users {user_id} and {others[0]} have one mailbox, {email}: both are kept.")
            return
    User.objects.filter(pk=user_id).update(email=canonical(user.email))
    kept = set()
    for row in rows:
        email = canonical(row.email).lower()
        if email in kept:  # another spelling of the user's own address, less confirmed
            row.delete()
        elif row.email != email:
            EmailAddress.objects.filter(pk=row.pk).update(email=email)
        kept.add(email)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("orders", "0015_validate_deleted_accounts"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]

    operations = [
        migrations.RunPython(change_orders, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(change_accounts, migrations.RunPython.noop, elidable=True),
    ]
