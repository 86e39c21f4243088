"""Erasing again, in a restored shop, whom the old shop has erased since the backup."""

from django.db import Error, transaction

from orders.models import ErasedAddress
from orders.personal_data.erased import addresses_of, erased_since, note, remember
from orders.personal_data.erasure import Erasure
from orders.personal_data.person import find_person
from orders.personal_data.refusals import refusals
from project.backup.rules import Restoring


def keep_journal(restoring: Restoring) -> None:
    """Write what the database that is being replaced knows into the journal beside the backups."""
    try:
        with transaction.atomic():
            rows = list(ErasedAddress.objects.filter(erased_at__gte=restoring.made_at))
    except Error:  # a database of an earlier version, or none of ours
        return
    if rows:
        note(restoring.backups, rows)


def erase_again(restoring: Restoring) -> None:
    """Erase whom the journal names since the backup; whom the shop can't erase yet, it says."""
    since = erased_since(restoring.backups, restoring.made_at)
    for email in addresses_of(since):
        person = find_person(email)
        if reasons := refusals(person):
            # Without the address: this goes to a terminal, perhaps to a log.
            restoring.say("A person who was erased after the backup isn't erased again yet:")
            for reason in reasons:
                restoring.say(f"  {reason}")
            continue
        remember(person.emails)
        Erasure(person).run()
        restoring.say("A person who was erased after the backup is erased again.")
