"""Media in a bucket: Django's storage for S3, with errors that tell retryable failures apart.

Pages link files by our own URLs (`/media/…`), and `views.media` redirects a permitted request to
the bucket by a signed URL. So the bucket stays private, a page is the same for all, and the
relative names in an HLS playlist resolve to the same endpoint. With `public`, renditions are
linked at that URL instead: a bucket whose `renditions/` is public, or a cache in front of it.
"""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from botocore.config import Config
from django.conf import settings
from django.core.files import File
from django.utils.encoding import filepath_to_uri
from storages.backends.s3 import S3File, S3Storage

from media_jobs.shown import SHOWN
from project.buckets import plain_errors

PUBLIC = "renditions/"
SIGNED_SECONDS = 3600
"""The validity of a signed URL of the bucket: longer than any video is watched."""
IN_MEMORY = 4 * 2**20
"""Bytes of a file that are kept in memory; a larger file is read through a temporary file."""


class ObjectFile(S3File):
    """A file that is downloaded at its first read."""

    def _get_file(self) -> Any:
        with plain_errors(self.name):
            return super()._get_file()

    file = property(_get_file, S3File._set_file)


class ObjectStorage(S3Storage):
    """A bucket; `public` is the URL at which its renditions are public, or empty."""

    def __init__(self, *, public: str = "", **options: Any) -> None:
        self.public = public
        super().__init__(
            **options,
            # As in every storage of Django: an existing file is never overwritten.
            file_overwrite=False,
            max_memory_size=IN_MEMORY,
            querystring_expire=SIGNED_SECONDS,
            client_config=Config(
                s3={"addressing_style": options["addressing_style"]},
                signature_version="s3v4",
                connect_timeout=5,
                read_timeout=20,
                # Not more: a job is tried again by its own backoff.
                retries={"mode": "standard", "total_max_attempts": 2},
            ),
        )

    def url(self, name: str, *args: Any, **options: Any) -> str:
        """Return the URL for pages: it never changes, and reveals nothing of the bucket."""
        if self.public and name.startswith(PUBLIC):
            return f"{self.public}/{filepath_to_uri(name)}"
        return f"{settings.MEDIA_URL}{filepath_to_uri(name)}"

    def signed_url(self, name: str, *, disposition: str) -> str:
        """Return a signed URL of the bucket that gives access to this file for an hour."""
        answer = {
            "ResponseContentType": _content_type(name),
            "ResponseContentDisposition": disposition,
        }
        with plain_errors(name):
            return str(super().url(name, parameters=answer))

    def get_object_parameters(self, name: str) -> dict[str, Any]:
        """Return the headers that the bucket sends with the file."""
        if name.startswith(PUBLIC):
            # A name belongs to one claim of one job for ever, so its content never changes.
            kept = {"CacheControl": "public, max-age=31536000, immutable"}
        else:
            kept = {"CacheControl": "private", "ContentDisposition": "attachment"}
        return {"ContentType": _content_type(name), **kept}

    def _open(self, name: str, mode: str = "rb") -> ObjectFile:
        with plain_errors(name):
            return ObjectFile(self._normalize_name(name), mode, self)

    def _save(self, name: str, content: File) -> str:
        with plain_errors(name):
            return str(super()._save(name, content))

    def delete(self, name: str) -> None:
        with plain_errors(name):
            super().delete(name)

    def exists(self, name: str) -> bool:
        with plain_errors(name):
            return bool(super().exists(name))

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        with plain_errors(path):
            folders, files = super().listdir(path)
            return folders, files

    def files(self) -> Iterator[tuple[str, int, str]]:
        """Give name, size in bytes and ETag of each object, a thousand per request."""
        with plain_errors(""):
            for found in self.bucket.objects.all():
                yield found.key, found.size, found.e_tag

    def size(self, name: str) -> int:
        with plain_errors(name):
            return int(super().size(name))


def _content_type(name: str) -> str:
    extension = PurePosixPath(name).suffix.removeprefix(".")
    return SHOWN.get(extension, "application/octet-stream")
