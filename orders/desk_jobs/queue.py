"""Queueing desk jobs. The desk's pages and the announcements' sweep call it."""

import hashlib
from typing import Any
from uuid import UUID, uuid5

from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.utils import translation

from orders.desk_jobs.kinds import Kind
from orders.models import DeskJob
from project.database.keys import time_ordered_key


def queue_desk_job(
    kind: Kind,
    *,
    user_id: int | None,
    file: File | str = "",
    context: dict[str, Any] | None = None,
    job_id: UUID | None = None,
) -> DeskJob:
    """Queue the work for this user, and return its job.

    `file` is an upload to store, or the stored file of another job. A repeat with the same
    `job_id` returns the same job. The job's texts will be in the current language.
    """
    job, _is_new = _queue(kind, user_id, file, context, job_id or time_ordered_key())
    return job


def queue_once(
    kind: Kind,
    *,
    key: UUID,
    asked: str,
    user_id: int | None,
    file: File | str = "",
    context: dict[str, Any] | None = None,
) -> tuple[DeskJob, bool]:
    """Queue what a page asks for; return its job, and whether it is new.

    `key` is the page's own (`project.desk.page_keys`), so a second click, Back and reload find the
    job of the first. `asked` says what is asked for: after Back the same page may be sent with
    another choice, which is another job.
    """
    return _queue(kind, user_id, file, context, uuid5(key, f"{user_id} {kind.name} {asked}"))


def _queue(
    kind: Kind, user_id: int | None, file: File | str, context: dict[str, Any] | None, job_id: UUID
) -> tuple[DeskJob, bool]:
    if known := DeskJob.objects.filter(pk=job_id).first():
        return known, False
    job = DeskJob(
        pk=job_id,
        kind=kind.name,
        user_id=user_id,
        file=file,
        context={"language": translation.get_language(), **(context or {})},
    )
    try:
        with transaction.atomic():
            job.save(force_insert=True)
    except IntegrityError:
        if isinstance(file, File):  # two at once: this one has stored its file, too
            job.file.delete(save=False)
        return DeskJob.objects.get(pk=job_id), False
    return job, True


def digest_of(upload: File) -> str:
    """Return what tells the upload from another one of the same name."""
    digest = hashlib.sha256((upload.name or "").encode())
    for chunk in upload.chunks():
        digest.update(chunk)
    upload.seek(0)
    return digest.hexdigest()
