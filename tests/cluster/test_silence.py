"""A server whose machine falls silent is let go in seconds, whatever was on its way to it."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from django.db.utils import ConnectionHandler

from tests.cluster.network import Lab, Machine, missing
from tests.live import wait_until
from tests.project.gateway import Gateway

_MISSING = missing()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db,
    pytest.mark.skipif(bool(_MISSING), reason=_MISSING or "all is there"),
]
LET_GO = 9.0
"""Seconds: what the settings say, and a little."""


@contextmanager
def way_to_the_database(folder: Path) -> Iterator[tuple[Machine, Machine, Gateway]]:
    """Yield a client's machine, the database's, and the way from the one to the real server."""
    writer = settings.DATABASES["writer"]
    with Lab() as lab:
        client, server = (
            Machine(lab, name, address, switch=switch, folder=folder)
            for name, address, switch in (
                ("client", "192.0.2.50", "front"),
                ("server", "192.0.2.21", "back"),
            )
        )
        client.boot()
        server.boot()
        with server.inside():
            gateway = Gateway(
                f"postgres://{writer['HOST']}:{writer['PORT']}", address=server.address
            )
        serving = threading.Thread(target=gateway.serve_forever, args=(0.05,))
        serving.start()
        try:
            yield client, server, gateway
        finally:
            gateway.cut()
            gateway.shutdown()
            serving.join()
            gateway.server_close()


class Session(threading.Thread):
    """A session from the client's machine, which asks once more when it is told to."""

    def __init__(self, client: Machine, gateway: Gateway, **options: Any) -> None:
        super().__init__(daemon=True)
        self.is_connected, self.ask, self.over = (threading.Event() for _ in range(3))
        self.seconds = 0.0
        self.error: OperationalError | None = None
        self._client = client
        self._settings = {
            **settings.DATABASES["writer"],
            "HOST": gateway.server_address[0],
            "PORT": str(gateway.server_address[1]),
            "NAME": "postgres",
        }
        self._settings["OPTIONS"] = {**self._settings["OPTIONS"], **options}

    def run(self) -> None:
        with self._client.inside():
            connection = ConnectionHandler({"default": {}, "silent": self._settings})["silent"]
            with closing(connection), connection.cursor() as cursor:
                cursor.execute("SELECT 1")
                self.is_connected.set()
                self.ask.wait()
                began = time.monotonic()
                try:
                    cursor.execute("SELECT 2")
                except OperationalError as error:
                    self.error = error
                self.seconds = time.monotonic() - began
        self.over.set()


def asks_of_silence(
    folder: Path, *, seconds: float, **options: Any
) -> Iterator[tuple[Session, Machine]]:
    with way_to_the_database(folder) as (client, server, gateway):
        session = Session(client, gateway, **options)
        session.start()
        assert session.is_connected.wait(20)
        server.cut_off()
        session.ask.set()
        session.over.wait(seconds)
        yield session, server


def test_a_statement_that_nobody_confirms_ends(tmp_path: Path) -> None:
    for session, _server in asks_of_silence(tmp_path, seconds=3 * LET_GO):
        assert session.error is not None
        assert session.seconds < LET_GO


def test_control_without_the_option_it_hangs(tmp_path: Path) -> None:
    for session, server in asks_of_silence(tmp_path, seconds=3 * LET_GO, tcp_user_timeout=0):
        assert not session.over.is_set()

        server.let_in()
        wait_until(session.over.is_set, seconds=90, what="the system sends it again")
        assert session.error is None
