"""Who takes writes: a session on each database machine that writes without a pause.

It notes the moment of each COMMIT that its own server confirmed. A server that is cut off is asked
from its own machine, where it still can be.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.cluster.databases import Databases


class Probe:
    """`confirmed` has the moments (`time.monotonic`) of the commits, by server."""

    def __init__(self, databases: Databases) -> None:
        self.confirmed: dict[str, list[float]] = {name: [] for name in databases.machines}
        self._databases = databases
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._write, args=(name,), daemon=True)
            for name in databases.machines
        ]
        with databases.session(databases.leader()) as session:
            session.execute("CREATE TABLE IF NOT EXISTS cluster_probe (server text)")

    def _write(self, name: str) -> None:
        while not self._over.wait(0.1):
            try:
                with self._databases.session(name) as session:
                    while not self._over.wait(0.1):
                        session.execute("INSERT INTO cluster_probe VALUES (%s)", [name])
                        self.confirmed[name].append(time.monotonic())
            except psycopg.Error:
                continue  # it doesn't take writes, or isn't there

    def writers(self, *, since: float, until: float) -> set[str]:
        """Return the servers that confirmed a commit in this time."""
        return {
            name
            for name, moments in self.confirmed.items()
            if any(since <= moment <= until for moment in list(moments))
        }

    @contextmanager
    def running(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()


@contextmanager
def probing(databases: Databases) -> Iterator[Probe]:
    """Write to both servers for the length of the block."""
    probe = Probe(databases)
    with probe.running():
        yield probe
