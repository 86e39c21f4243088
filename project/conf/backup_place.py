"""Where backups go, `BACKUP_FOLDER` and the commands: a folder, or s3://BUCKET/PREFIX."""

import re

from django.core.exceptions import ImproperlyConfigured

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def bucket_of(place: str) -> tuple[str, str] | None:
    """Return the bucket and the prefix of `s3://BUCKET/PREFIX`; None if the place is a folder.

    Raises ValueError, which says what is wrong without quoting the place: it may hold a key.
    """
    scheme, is_url, rest = place.partition("://")
    if not is_url:
        return None
    if scheme != "s3":
        raise ValueError("is neither a folder nor s3://BUCKET/PREFIX")
    if "@" in rest:
        raise ValueError(
            "has a key in it, which other users of the machine could see: set AWS_ACCESS_KEY_ID and"
            " AWS_SECRET_ACCESS_KEY instead, and the server as AWS_ENDPOINT_URL_S3"
        )
    if "?" in rest:
        raise ValueError(
            "has options: set AWS_REGION and AWS_ENDPOINT_URL_S3 instead, and give"
            " s3://BUCKET/PREFIX alone"
        )
    bucket, _slash, prefix = rest.strip("/").partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise ValueError("names no bucket: give s3://BUCKET/PREFIX")
    return bucket, prefix


def backup_place(name: str, place: str) -> str:
    """Return the place as it is given. Raises ImproperlyConfigured that names the variable."""
    try:
        bucket_of(place)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} {error}.") from None
    return place
