"""An object storage to test against: moto's server, in a thread, on a port of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import boto3
import pytest
from botocore.config import Config

from project.conf.media_storage import media_storage

KEY, SECRET = "shop", "a/secret+of=ours"
_numbers = count(1)


@contextmanager
def object_server() -> Iterator[str]:
    """Run a server; yield its host and port."""
    from moto.server import ThreadedMotoServer  # it takes a second to load

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"{host}:{port}"
    finally:
        server.stop()


def new_bucket(server: str) -> str:
    """Make a bucket; return what MEDIA_STORAGE says to use it."""
    bucket = f"media-{next(_numbers)}"
    client(server).create_bucket(Bucket=bucket)
    return f"s3://{KEY}:a%2Fsecret%2Bof=ours@{server}/{bucket}?tls=no"


def new_backup_place(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make a bucket for backups and set AWS's variables; return the place in it."""
    bucket = f"backups-{next(_numbers)}"
    client(server).create_bucket(Bucket=bucket)
    for name, value in amazons_variables(server).items():
        monkeypatch.setenv(name, value)
    return f"s3://{bucket}/shop/nightly"


def amazons_variables(server: str) -> dict[str, str]:
    """Return the variables by which AWS's programs, and backups, find this server."""
    return {
        "AWS_ENDPOINT_URL_S3": f"http://{server}",
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }


def client(server: str):
    return boto3.client(
        "s3",
        endpoint_url=f"http://{server}",
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}),
    )


def keep_media_in(settings, url: str) -> None:
    """Set the media storage as the settings do it."""
    storage = media_storage(url)
    settings.MEDIA_ROOT = storage.folder
    settings.MEDIA_ORIGINS = storage.origins
    settings.STORAGES = {**settings.STORAGES, "default": storage.backend}
