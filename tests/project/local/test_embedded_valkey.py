"""The embedded Valkey: behind a password, append-only, in a folder of any name."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from project.local.data_folder import DataFolder
from project.local.embedded.running import running_servers, temporary_data_folder
from project.local.embedded.valkey import NO_RETRIES, ValkeyServer
from project.local.processes import PidFile


@pytest.fixture
def data() -> Iterator[DataFolder]:
    with temporary_data_folder() as folder:
        path = folder.path / f'a "quoted" and {"long " * 20}name'
        path.mkdir()
        path.chmod(0o711)
        yield DataFolder(path)


def test_what_it_was_told_outlives_it_and_nobody_else_can_ask(data: DataFolder) -> None:
    with running_servers(data) as values:
        url = values["CELERY_BROKER_URL"]
        with redis.Redis.from_url(url) as client:
            client.set("ring", "order 1")
            assert client.config_get("appendonly") == {"appendonly": "yes"}
            assert client.config_get("bind") == {"bind": "127.0.0.1"}
        for password in (None, "wrong"):
            port = urlsplit(url).port or 0
            stranger = redis.Redis("127.0.0.1", port, password=password, retry=NO_RETRIES)
            with stranger, pytest.raises(redis.AuthenticationError):
                stranger.get("ring")

    with running_servers(data) as values, redis.Redis.from_url(url) as client:
        assert values["CELERY_BROKER_URL"] == url
        assert client.get("ring") == b"order 1"


def test_its_password_is_in_a_private_file_and_on_no_command_line(tmp_path: Path) -> None:
    data = DataFolder(tmp_path)
    data.create()
    server = ValkeyServer(data)

    server.prepare()

    assert data.secret("valkey_password") not in " ".join(server.argv)
    assert (server.folder / "valkey.conf").stat().st_mode & 0o077 == 0
    assert PidFile(data.run, "valkey").living() is None
    assert os.access(server.argv[0], os.X_OK)


def test_advice_about_the_machine_is_not_shown(tmp_path: Path) -> None:
    server = ValkeyServer(DataFolder(tmp_path))

    assert server.is_noise("# WARNING Memory overcommit must be enabled! Without …")
    assert not server.is_noise("# Fatal error, can't open the append log file")
