"""An import as a desk job: it reads the uploaded file and stores the report."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.files.base import File
from django.utils.translation import gettext as _

from orders.desk_jobs.progress import kept_if_cancelled, progress_callback, store_rows
from orders.imports.errors import ImportRefusedError, RowRefusedError
from orders.imports.package import TABLES, Package, PackedFile, zip_package
from orders.imports.report import HEADER, Report
from orders.imports.run import import_products
from orders.models import DeskJob
from project.jobs.errors import PermanentError


def work(job: DeskJob) -> dict[str, Any]:
    """Import the job's file; `context`: its `name`, and `dry_run`. Returns the counts.

    A retry begins at the first row; rows that were imported before are unchanged.
    """
    dry_run = bool(job.context["dry_run"])
    report = Report(dry_run=dry_run)

    def store() -> None:
        store_rows(job, HEADER, report.lines(), name="report.csv")

    def result() -> dict[str, Any]:
        return {"dry_run": dry_run, **report.counts()}

    try:
        with (
            kept_if_cancelled(job, store, result),
            job.file.open("rb") as file,
            uploaded_package(file, name=job.context["name"]) as package,
        ):
            import_products(
                package, dry_run=dry_run, report=report, on_progress=progress_callback(job)
            )
    except FileNotFoundError as error:
        raise PermanentError(_("The uploaded file is gone. Upload it again.")) from error
    except (ImportRefusedError, RowRefusedError) as error:
        raise PermanentError(str(error)) from error
    store()
    return result()


@contextmanager
def uploaded_package(file: File, *, name: str) -> Iterator[Package]:
    """Yield the package that was uploaded under `name`: a zip, or a table without pictures."""
    if name.lower().endswith(TABLES):
        yield Package([PackedFile(name, file.size or 0, lambda: file)])
        return
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise ImportRefusedError(_("This isn't a zip that can be read. Pack it anew.")) from error
    with archive:
        yield zip_package(archive)
