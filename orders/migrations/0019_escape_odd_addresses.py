r"""Mend the addresses that 0016 couldn't bring into their one form.

An order's address that has none (a look-alike of an ASCII letter, a domain with a symbol) is
escaped: `m\u0131ke@example.org`. An account's is escaped, too, if another account has its one form:
no sign-in found it in its old spelling either. A few rows at most; each is written by itself.
"""

from typing import Any

from django.db import migrations

from project.email_addresses import STORED, escaped_address, storable_address

BATCH = 1000


def mend_orders(apps: Any, schema_editor: Any) -> None:
    Order = apps.get_model("orders", "Order")
    reached = 0
    while batch := list(
        Order.objects.exclude(email__regex=STORED)
        .filter(number__gt=reached)
        .order_by("number")
        .values_list("number", "email")[:BATCH]
    ):
        for number, email in batch:
            Order.objects.filter(number=number, email=email).update(email=storable_address(email))
        reached = batch[-1][0]


def mend_accounts(apps: Any, schema_editor: Any) -> None:
    """Escape both tables' rows alike: allauth's has the user's address in small letters."""
    for label in ("orders.User", "account.EmailAddress"):
        rows = apps.get_model(label).objects
        for pk, email in (
            rows.exclude(email="").exclude(email__regex=STORED).values_list("pk", "email")
        ):
            rows.filter(pk=pk, email=email).update(email=escaped_address(email.lower()))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("orders", "0018_address_checks")]

    operations = [
        migrations.RunPython(mend_orders, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(mend_accounts, migrations.RunPython.noop, elidable=True),
    ]
