"""The web process by itself: real gunicorn on the test's database. And visitors who order."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from project.local.data_folder import free_port
from project.local.env import ROOT
from tests.concurrency.rush import order_body
from tests.database import this_database
from tests.factories import new_key
from tests.live import wait_until
from tests.time_bounds import stretched

MODULE = (sys.executable, "-m", "gunicorn")


class Web:
    """The web process with two workers, on a port of its own."""

    def __init__(
        self,
        folder: Path,
        *,
        config: str = "python:project.gunicorn",
        command: Sequence[str] = MODULE,
        entry: str = "project.wsgi",
        port: int = 0,
        code: Path | str = ROOT,
        log: Path | str = os.devnull,
        **variables: str,
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.pid_file = folder / "pid"
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                [*command, "-c", config, "--pid", str(self.pid_file), entry],
                cwd=code,
                env=os.environ
                | {"DATABASE_URL": this_database(), "PORT": str(self.port), "SITE_URL": self.url}
                | variables,
                stdout=output,
                stderr=output,
            )

    @property
    def master(self) -> int:
        """The number of the master that is in charge; 0 while none is."""
        try:
            return int(self.pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return 0

    def lets_in(self) -> bool:
        """Tell whether a connection is accepted."""
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0

    def answers(self, *, seconds: float) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", timeout=seconds, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        for pid in {self.master, self.process.pid} - {0}:
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                continue
        self.process.wait(40)
        wait_until(lambda: not self.lets_in(), seconds=40, what="nobody is let in")


@contextmanager
def web(folder: Path, **options: Any) -> Iterator[Web]:
    started = Web(folder, **options)
    try:
        wait_until(started.lets_in, seconds=stretched(60), what="a connection is accepted")
        yield started
    finally:
        started.stop()


class Visitors:
    """They order for the length of the block; `failed`: who got no answer.

    Each request has a connection of its own, but for the `keeping` of the clients that keep theirs
    as long as it is open. Nobody repeats an order.
    """

    def __init__(self, url: str, *, clients: int = 8, keeping: int = 0) -> None:
        self.answers: list[int] = []
        self.refusals: list[str] = []
        """What the answers other than 201 said."""
        self.placed: list[str] = []
        """The ids of the orders that were answered with 201."""
        self.failed: list[str] = []
        self._url = url
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._order, kwargs={"keeps": number < keeping})
            for number in range(clients)
        ]

    def _order(self, *, keeps: bool) -> None:
        limits = httpx.Limits(max_keepalive_connections=1 if keeps else 0)
        headers = {} if keeps else {"Connection": "close"}
        # verify: there is no TLS, and its certificates would take long to read.
        with httpx.Client(timeout=30, trust_env=False, verify=False, limits=limits) as client:
            while not self._over.is_set():
                try:
                    answer = client.post(
                        f"{self._url}/api/v1/orders",
                        json=order_body(("TEA", 1)),
                        headers=headers | {"Idempotency-Key": new_key()},
                    )
                except httpx.TransportError as error:
                    self.failed.append(repr(error))
                else:
                    self._note(answer)

    def _note(self, answer: httpx.Response) -> None:
        self.answers.append(answer.status_code)
        if answer.status_code == 201:
            self.placed.append(answer.json()["id"])
        else:
            self.refusals.append(answer.text[:200])

    def __enter__(self) -> "Visitors":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
