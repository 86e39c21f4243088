"""S3 buckets: errors as those of a file system, and the objects below one prefix of a bucket.

The media have a storage of their own (`media_jobs.object_storage`). What is here takes its keys,
its region and its server from AWS's variables, as each program of AWS does.
"""

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from project.conf.media_storage import StorageDownError

NOT_FOUND = ("404", "NoSuchKey", "NotFound")
FULL_STATUS = 507
MOST_AT_A_TIME = 1000
"""Objects that one request may remove."""


@contextmanager
def plain_errors(name: str) -> Iterator[None]:
    """Turn boto's errors into the OSErrors of a file system."""
    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in NOT_FOUND:
            raise FileNotFoundError(errno.ENOENT, "no such object", name) from error
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status == FULL_STATUS:
            raise OSError(errno.ENOSPC, "the object storage is full", name) from error
        raise StorageDownError(str(error)) from error
    except (BotoCoreError, Boto3Error) as error:
        raise StorageDownError(str(error)) from error


class Prefix:
    """The objects of a bucket whose keys begin with a prefix; `name` is a key without it.

    Every method raises an OSError: FileNotFoundError for an object that isn't there.
    """

    def __init__(self, bucket: str, prefix: str) -> None:
        self.bucket = bucket
        self.url = f"s3://{bucket}/{prefix}".rstrip("/")
        self._start = f"{prefix}/" if prefix else ""
        try:
            with plain_errors(self.url):
                self.client = _client()
        except ValueError as error:  # botocore's, of an endpoint that is no URL
            raise StorageDownError(str(error)) from error

    def names(self, under: str = "") -> Iterator[tuple[str, int]]:
        """Give name and size in bytes of each object whose name begins with `under`."""
        for page in self._pages("list_objects_v2", under):
            for found in page.get("Contents", ()):
                yield found["Key"].removeprefix(self._start), found["Size"]

    def folders(self) -> list[str]:
        """Return what stands before the first slash of the names, each once, in their order."""
        return [
            found["Prefix"].removeprefix(self._start).rstrip("/")
            for page in self._pages("list_objects_v2", "", Delimiter="/")
            for found in page.get("CommonPrefixes", ())
        ]

    def has(self, name: str) -> bool:
        try:
            with plain_errors(name):
                self.client.head_object(Bucket=self.bucket, Key=self._key(name))
        except FileNotFoundError:
            return False
        return True

    def send(self, path: Path, name: str) -> None:
        """Upload a file: its object is there with all of its bytes, or not at all."""
        with plain_errors(name):
            self.client.upload_file(str(path), self.bucket, self._key(name))

    def fetch(self, name: str, path: Path) -> None:
        """Download an object into a file."""
        with plain_errors(name):
            self.client.download_file(self.bucket, self._key(name), str(path))

    def write(self, name: str, text: str) -> None:
        with plain_errors(name):
            self.client.put_object(Bucket=self.bucket, Key=self._key(name), Body=text.encode())

    def read(self, name: str) -> str:
        with plain_errors(name):
            found = self.client.get_object(Bucket=self.bucket, Key=self._key(name))
            return str(found["Body"].read().decode())

    def remove(self, names: Iterable[str]) -> None:
        """Remove these objects."""
        keys = [{"Key": self._key(name)} for name in names]
        for start in range(0, len(keys), MOST_AT_A_TIME):
            some = keys[start : start + MOST_AT_A_TIME]
            with plain_errors(self.url):
                answer = self.client.delete_objects(
                    Bucket=self.bucket, Delete={"Objects": some, "Quiet": True}
                )
            if errors := answer.get("Errors"):
                raise StorageDownError(f"{errors[0]['Key']} can't be removed: {errors[0]['Code']}")

    def end_interrupted_uploads(self) -> None:
        """Give up uploads in parts that were killed: nobody sees them, and they are paid for."""
        for page in self._pages("list_multipart_uploads", ""):
            for found in page.get("Uploads", ()):
                with plain_errors(found["Key"]):
                    self.client.abort_multipart_upload(
                        Bucket=self.bucket, Key=found["Key"], UploadId=found["UploadId"]
                    )

    def _pages(self, request: str, under: str, **options: Any) -> Iterator[Any]:
        with plain_errors(self.url):
            pages = self.client.get_paginator(request).paginate(
                Bucket=self.bucket, Prefix=self._key(under), **options
            )
            yield from pages

    def _key(self, name: str) -> str:
        return f"{self._start}{name}"


def _client() -> Any:
    # Other servers seldom have a host name for each bucket.
    is_amazons = not (os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL"))
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    return boto3.client(
        "s3",
        region_name=region,
        config=Config(
            s3={"addressing_style": "auto" if is_amazons else "path"},
            signature_version="s3v4",
            connect_timeout=5,
            read_timeout=60,
            retries={"mode": "standard", "total_max_attempts": 5},
        ),
    )
