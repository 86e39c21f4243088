"""Files of desk jobs that name a person: exported lists, papers with their orders, own exports."""

from collections.abc import Iterable
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import Q, QuerySet

from orders.desk_jobs import report_files
from orders.desk_jobs.kinds import (
    EXPORT_LIST,
    EXPORT_PERSON,
    PRINT_INVOICES,
    PRINT_PACKING_SLIPS,
    PRINT_PICK_LIST,
)
from orders.models import DeskJob
from orders.personal_data.person import Person

PAPERS = (PRINT_INVOICES.name, PRINT_PACKING_SLIPS.name, PRINT_PICK_LIST.name)
NAMING = (
    *("orders.order", "orders.user", "orders.refund", "orders.payment", "orders.paymentattempt"),
    *("orders.waitinglistentry", "notifications.notification", "media_jobs.mediajob"),
    *("account.emailaddress", "axes.accessattempt", "project.limitcounter", "admin.logentry"),
)
"""The lists whose exports name customers. Whom a file names isn't known, so all of them go: an
operator exports a list again."""


def delete_exports(person: Person) -> int:
    """Delete the exports of this person, with their zips; return how many."""
    mine = Q(context__person__emails__0__in=person.emails)
    for user_id in person.user_ids:  # also one from before a change of the address
        mine |= Q(context__person__user_ids__contains=[user_id])
    exports: QuerySet[Any] = DeskJob.objects.filter(mine, kind=EXPORT_PERSON.name)
    exports.cancel()  # type: ignore[attr-defined]
    deleted = 0
    for pk in exports.values_list("pk", flat=True):
        report_files.remove(pk)  # first: by the row they are found again
        deleted += exports.filter(pk=pk).delete()[0]
    return deleted


def delete_papers(numbers: Iterable[int]) -> int:
    """Delete printed papers of these orders; return how many files. The jobs stay."""
    of_any = Q(pk=None)
    for number in numbers:
        of_any |= Q(context__orders__contains=[number])
    return _delete_files(DeskJob.objects.filter(of_any, kind__in=PAPERS))


def delete_lists() -> int:
    """Delete the files of lists that may name the person; return how many. The jobs stay."""
    return _delete_files(DeskJob.objects.filter(kind=EXPORT_LIST.name, context__list__in=NAMING))


def _delete_files(jobs: QuerySet[Any]) -> int:
    """Delete the files of these jobs. One that is being written has read the person: it is begun
    anew.
    """
    jobs.start_anew()  # type: ignore[attr-defined]
    deleted = 0
    for pk, name in jobs.exclude(report="").order_by("pk").values_list("pk", "report"):
        default_storage.delete(name)
        deleted += DeskJob.objects.filter(pk=pk).update(report="")
    return deleted
