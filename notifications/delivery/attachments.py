"""Attachments of e-mails: files in the storage, which the messages of one event share.

A row has only their names. They are read at each attempt and deleted with the last message that
has them.
"""

import mimetypes
from collections.abc import Sequence
from uuid import UUID

from django.core.files.storage import default_storage

from notifications.channels.message import Attachment
from notifications.models import Notification
from project.jobs.errors import PermanentError


def read_attachments(notification: Notification) -> tuple[Attachment, ...]:
    """Return the message's files. Raises PermanentError if one is gone."""
    return tuple(_read(**kept) for kept in notification.attachments or ())


def _read(*, file: str, name: str, cid: str) -> Attachment:
    try:
        with default_storage.open(file, "rb") as opened:
            content: bytes = opened.read()
    except FileNotFoundError as error:
        raise PermanentError(f"the attachment {name} is gone") from error
    kind, _encoding = mimetypes.guess_type(name)
    return Attachment(name=name, content=content, kind=kind or "application/octet-stream", cid=cid)


def delete_with_files(job_ids: Sequence[UUID]) -> None:
    """Delete the files that no other message has, then the messages.

    In this order: by the rows the files are found again when the storage fails.
    """
    with_files = Notification.objects.filter(attachments__isnull=False)
    if files := _files(with_files.filter(pk__in=job_ids)):
        for name in files - _files(with_files.exclude(pk__in=job_ids)):
            default_storage.delete(name)
    Notification.objects.filter(pk__in=job_ids).delete()


def _files(messages: object) -> set[str]:
    lists = messages.values_list("attachments", flat=True)  # type: ignore[attr-defined]
    return {kept["file"] for attachments in lists for kept in attachments}
