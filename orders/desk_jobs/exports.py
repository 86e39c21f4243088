"""An export as a desk job: it reads a list as its operator sees it, and stores the workbook."""

from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.files.base import File
from django.db import DEFAULT_DB_ALIAS
from django.http import Http404
from django.utils.translation import gettext as _

from orders.desk_jobs.progress import progress_callback, store_report
from orders.models import DeskJob
from project.desk.csv_stream import file_name
from project.desk.export_list import export_list
from project.desk.list_requests import list_request
from project.desk.workbooks import write_workbook
from project.jobs.errors import PermanentError
from project.replica.reading import caught_up, reading_each


def write_export(job: DeskJob) -> dict[str, Any]:
    """Write the sheet of `context`: `list`, `sheet`, `query`. Returns the number of rows.

    The cursor is outside of a transaction, so that the progress is seen and a cancel is noticed.
    """
    desk = export_list(job.context["list"])
    if desk is None or job.user is None or not job.user.is_active:
        raise PermanentError(_("There is no such list, or nobody who may see it."))
    try:
        request = list_request(user=job.user, query=job.context["query"])
        if not desk.has_view_permission(request):
            raise PermanentError(_("You may not see this list any more."))
        sheet, shown = desk.sheet(job.context["sheet"]), desk.shown(request)
    except (BadRequest, Http404, IncorrectLookupParameters, SuspiciousOperation) as error:
        raise PermanentError(_("The list has no such filter.")) from error
    # A job that is tried again reads from the primary: the replica may have failed under it.
    source = caught_up() if job.attempts == 1 else DEFAULT_DB_ALIAS
    shown = shown.using(source)
    total = shown.count()
    on_progress = progress_callback(job)

    def rows() -> Iterator[list[Any]]:
        for number, found in enumerate(reading_each(source, sheet.read_rows(shown))):
            if number % 100 == 0:
                on_progress(number, total)
            yield from found

    with TemporaryFile() as written:
        count = write_workbook(written, title=str(sheet.label), header=sheet.header(), rows=rows())
        store_report(job, File(written), name=file_name(sheet, "xlsx"))
    desk.record_workbook(request, sheet, rows=count)
    return {"rows": count}
