"""`MEDIA_STORAGE`: a folder, or a bucket in an S3 object storage.

s3://KEY:SECRET@HOST[:PORT]/BUCKET?region=…&tls=no&public=https://…   any S3 server
s3://BUCKET?region=…                                                  Amazon's
"""

import errno
import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from project.conf.urls import PERCENT, UnreadableUrlError, split_url

OPTIONS = {"region", "tls", "public"}
FOLDER_STORAGE = "django.core.files.storage.FileSystemStorage"
BUCKET_STORAGE = "media_jobs.object_storage.ObjectStorage"


class StorageDownError(OSError):
    """The media storage doesn't answer or refuses access: a later try may succeed."""


FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def is_away(error: BaseException | None) -> bool:
    """Tell whether the storage can't be used now: it is down, or its disk or the disk for temporary
    files is full.
    """
    return isinstance(error, StorageDownError) or (
        isinstance(error, OSError) and error.errno in FULL
    )


@dataclass(frozen=True)
class MediaStorage:
    """The parts of `MEDIA_STORAGE` that other settings need."""

    folder: str
    """The media folder; empty if media are in a bucket."""
    backend: dict[str, Any]
    """For `STORAGES`."""
    origins: tuple[str, ...] = ()
    """Origins besides our own from which pages load pictures and videos."""


def media_storage(value: str) -> MediaStorage:
    """Return the parsed `MEDIA_STORAGE`. Raises ImproperlyConfigured with the reason."""
    if "://" not in value:
        if not value.strip():
            raise _wrong("is empty: name a folder, or s3://…")
        return MediaStorage(folder=value, backend={"BACKEND": FOLDER_STORAGE})
    # Never shown in an error: it may hold the secret.
    try:
        url = split_url(value)
    except UnreadableUrlError:
        raise _wrong(f"is no URL. {PERCENT}") from None
    if url.scheme != "s3":
        raise _wrong("is neither a folder nor s3://…")
    port = url.port
    options = _options(url)
    if bool(url.username) != bool(url.password):
        raise _wrong("has a key without its secret, or a secret without its key")
    bucket = unquote(url.path.strip("/"))
    server = bool(bucket)
    if not server:
        if port is not None:
            raise _wrong("has no bucket: s3://HOST:PORT/BUCKET")
        bucket = url.netloc.rpartition("@")[2]  # as it is written: `hostname` is lower case
    if not bucket or "/" in bucket:
        raise _wrong("must name one bucket: s3://HOST/BUCKET, or s3://BUCKET for Amazon's")
    region = options.get("region") or os.environ.get("AWS_REGION") or ""
    region = region or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    if server:
        scheme = "http" if options.get("tls") == "no" else "https"
        endpoint = f"{scheme}://{url.hostname}" + (f":{port}" if port else "")
        origin = endpoint
    else:
        endpoint = f"https://s3.{region}.amazonaws.com"
        # A bucket with dots doesn't match Amazon's certificate as a host.
        origin = endpoint if "." in bucket else f"https://{bucket}.s3.{region}.amazonaws.com"
    public = options.get("public", "").rstrip("/")
    return MediaStorage(
        folder="",
        backend={
            "BACKEND": BUCKET_STORAGE,
            "OPTIONS": {
                "bucket_name": bucket,
                "endpoint_url": endpoint,
                "region_name": region,
                "addressing_style": "path" if origin == endpoint else "virtual",
                "public": public,
                **(
                    {"access_key": unquote(url.username), "secret_key": unquote(url.password)}
                    if url.username and url.password
                    else {}  # AWS' own variables, files or instance roles provide the credentials
                ),
            },
        },
        origins=tuple({origin: None, **({_origin(public): None} if public else {})}),
    )


def _options(url: SplitResult) -> dict[str, str]:
    options = dict(parse_qsl(url.query, keep_blank_values=True))
    if set(options) - OPTIONS:
        known = ", ".join(sorted(OPTIONS))
        raise _wrong(f"has an option that isn't known; there are: {known}")
    if options.get("tls", "yes") not in ("yes", "no"):
        raise _wrong("says neither tls=yes nor tls=no")
    try:
        public = split_url(options.get("public", "https://example.org"))
    except UnreadableUrlError:
        raise _wrong("has a `public` that is no https:// address") from None
    if public.scheme not in ("http", "https") or not public.hostname or public.query:
        raise _wrong("has a `public` that is no https:// address")
    return options


def _origin(address: str) -> str:
    url = urlsplit(address)
    return f"{url.scheme}://{url.netloc}"


def _wrong(what: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"MEDIA_STORAGE {what}. See .env.example.")
