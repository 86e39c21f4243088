"""Uploads before an order: storing the shopper's file, its limits, and pruning unused files.

Product page and API store uploads here; the StockWriter takes them (`uploads`).
"""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from media_jobs.assets import measure
from media_jobs.filetypes import HEAD_BYTES, UnusableFileError, sniff
from media_jobs.outbox import delete_checks
from orders.models import Upload
from orders.models.upload import ROOT
from orders.placing.personalising import Personalisation, kind_error
from orders.placing.upload_checks import queue_check
from project.database.advisory_lock import lock_until_commit
from project.database.clock import database_now

KEEP = timedelta(days=1)
"""How long an upload without an order is kept."""
LIMIT_TIME = timedelta(hours=1)
"""`MAX_UPLOADS_PER_HOUR` limits the uploads without an order from one IP address in this time."""
BATCH_SIZE = 500


class TooManyUploadsError(Exception):
    """This IP address has reached the limit of uploads without an order."""

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after
        """Seconds."""


def check_limit(address: str) -> None:
    """Raise TooManyUploadsError if this IP address has reached its limit."""
    waiting = Upload.objects.filter(
        address=address, line=None, created_at__gt=Now() - LIMIT_TIME
    ).order_by("-created_at")
    limit = settings.MAX_UPLOADS_PER_HOUR
    full = list(waiting.values_list("created_at", flat=True)[limit - 1 : limit])
    if full:
        over = (full[0] + LIMIT_TIME - database_now()).total_seconds()
        raise TooManyUploadsError(max(1, round(over)))


def store_upload(
    file: File, *, name: str, address: str, asked_for: str = Personalisation.EITHER
) -> Upload:
    """Store a shopper's file, queue its check and return its upload. The file is not decoded here.

    `asked_for` is the product's `personalisation`. Raises UnusableFileError with a sentence for
    the shopper, or TooManyUploadsError.
    """
    file.seek(0)
    filetype = sniff(file.read(HEAD_BYTES))
    if message := kind_error(asked_for, is_video=filetype.is_video):
        raise UnusableFileError(message)
    digest, size = measure(file, filetype)
    upload = Upload(
        name=_printable(name)[:200],
        content_type=filetype.content_type,
        size=size,
        sha256=digest,
        address=address,
    )
    check_limit(address)
    file.seek(0)
    # The file comes before the row, so an upload with a row has its file. The daily pruning
    # deletes a file without a row.
    upload.file.save(f"upload.{filetype.extension}", file, save=False)
    try:
        with transaction.atomic():
            # One upload at a time per address: parallel ones would all pass the check.
            lock_until_commit(f"upload {address}")
            check_limit(address)
            upload.save(force_insert=True)
            queue_check(upload)
    except BaseException:
        upload.file.delete(save=False)
        raise
    return upload


def discard(token: UUID) -> bool:
    """Delete an upload that no order has taken, with its file; False if there is none."""
    return bool(_delete([token]))


def delete_uploads(uploads: QuerySet[Upload]) -> int:
    """Delete uploads whether an order took them or not, their files first; return how many.

    Their print files are media jobs, which the caller deletes.
    """
    deleted = 0
    while rows := list(uploads[:BATCH_SIZE]):
        for upload in rows:
            default_storage.delete(str(upload.file.name))
        tokens = [upload.pk for upload in rows]
        delete_checks(tokens)
        deleted += Upload.objects.filter(pk__in=tokens).delete()[0]
    return deleted


def prune_uploads() -> int:
    """Delete the uploads without an order that are older than KEEP, and files without a row.

    Returns the number of uploads.
    """
    pruned = 0
    old = Upload.objects.filter(line=None, created_at__lt=Now() - KEEP)
    while tokens := list(old.values_list("token", flat=True)[:BATCH_SIZE]):
        if not (deleted := _delete(tokens)):
            break  # orders are taking the remaining ones at this moment
        pruned += deleted
    _delete_orphaned_files()
    return pruned


def _delete(tokens: list[UUID]) -> int:
    """Delete the uploads that no order has taken or has locked, then their files."""
    with transaction.atomic():
        # An order that takes an upload locks its row; a later order finds no row.
        free = Upload.objects.filter(pk__in=tokens, line=None).order_by("pk")
        rows = list(free.select_for_update(skip_locked=True))
        delete_checks([upload.pk for upload in rows])
        Upload.objects.filter(pk__in=[upload.pk for upload in rows]).delete()
    for upload in rows:
        default_storage.delete(str(upload.file.name))
    return len(rows)


def _delete_orphaned_files() -> None:
    """Delete files without a row: a process died between the file's write and the row's."""
    last = database_now() - 2 * KEEP
    for folder in _days_until(f"{last:%Y/%m/%d}"):
        files = default_storage.listdir(folder)[1]
        known = set(
            Upload.objects.filter(file__startswith=f"{folder}/").values_list("file", flat=True)
        )
        for name in files:
            if f"{folder}/{name}" not in known:
                default_storage.delete(f"{folder}/{name}")


def _days_until(last: str) -> list[str]:
    """Return the folders of the days up to and including `last` (year/month/day)."""
    days = [""]
    for _level in range(3):
        days = [f"{day}/{name}" for day in days for name in _folders(f"{ROOT}{day}")]
    return [f"{ROOT}{day}" for day in days if day.removeprefix("/") <= last]


def _folders(path: str) -> list[str]:
    try:
        return default_storage.listdir(path)[0]
    except FileNotFoundError:
        return []


def _printable(name: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in name).split()) or "upload"
