"""An import as a desk job: it reads the uploaded file and stores the report."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from tempfile import TemporaryFile
from typing import Any

from django.core.files.base import File
from django.utils.translation import gettext as _

from orders.desk_jobs.progress import progress_callback, store_report
from orders.imports.errors import ImportRefusedError, RowRefusedError
from orders.imports.package import TABLES, Package, PackedFile, zip_package
from orders.imports.run import import_products
from orders.models import DeskJob
from project.jobs.errors import PermanentError


def work(job: DeskJob) -> dict[str, Any]:
    """Import the job's file; `context`: its `name`, and `dry_run`. Returns the counts.

    A retry begins at the first row; rows that were imported before are unchanged.
    """
    dry_run = bool(job.context["dry_run"])
    try:
        with (
            job.file.open("rb") as file,
            uploaded_package(file, name=job.context["name"]) as package,
        ):
            report = import_products(package, dry_run=dry_run, on_progress=progress_callback(job))
    except FileNotFoundError as error:
        raise PermanentError(_("The uploaded file is gone. Upload it again.")) from error
    except (ImportRefusedError, RowRefusedError) as error:
        raise PermanentError(str(error)) from error
    with TemporaryFile() as written:
        text = TextIOWrapper(written, encoding="utf-8", newline="")
        report.write(text)
        text.flush()
        store_report(job, File(written), name="report.csv")
        text.detach()
    return {"dry_run": dry_run, **report.counts()}


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
