"""The files of reports, and the removal of those that no row knows.

    desk/<job>/<8 digits of the claim>/<name>

Each claim writes into a folder of its own, and only the row that is written when it finishes its
job makes its file known. A claim that is lost with its file written, because the job was cancelled
or its worker was killed, leaves a file: a report may name customers, so it isn't left to lie.
"""

import logging
from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

from django.core.files.storage import default_storage

from orders.models import DeskJob

logger = logging.getLogger(__name__)


def folder_of(job: DeskJob) -> str:
    """Return the folder in which the job's claim writes its report."""
    assert job.token is not None  # claimed
    return f"{_home(job.pk)}/{_name_of(job.token)}"


def sweep(job_id: UUID) -> None:
    """Remove the reports of claims that are over, but for the one that the row shows.

    What can't be removed now goes with the job.
    """
    try:
        claims = _folders(_home(job_id))  # before the row: what a later claim writes isn't in it
        if claims:
            rows = DeskJob.objects.filter(pk=job_id).values_list("report", "token")
            report, token = rows.first() or ("", None)
            needed = {report.rpartition("/")[0], token and f"{_home(job_id)}/{_name_of(token)}"}
            _remove(folder for folder in claims if folder not in needed)
    except OSError:
        logger.warning("could not sweep the reports of desk job %s", job_id, exc_info=True)


def remove(job_id: UUID) -> None:
    """Remove all reports of the job. Raises OSError."""
    _remove(_folders(_home(job_id)))


def _home(job_id: UUID) -> str:
    return f"desk/{job_id}"


def _name_of(token: UUID) -> str:
    return token.hex[:8]


def _folders(home: str) -> list[str]:
    """Return the folders of claims."""
    try:
        return [f"{home}/{name}" for name in default_storage.listdir(home)[0]]
    except FileNotFoundError:
        return []


def _remove(folders: Iterable[str]) -> None:
    for folder in folders:
        with suppress(FileNotFoundError):  # another sweep has removed it
            for name in default_storage.listdir(folder)[1]:
                default_storage.delete(f"{folder}/{name}")
        with suppress(OSError):  # a bucket has no folders, and another claim writes there
            default_storage.delete(folder)
            default_storage.delete(folder.rpartition("/")[0])
