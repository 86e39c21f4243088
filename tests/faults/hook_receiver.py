"""An endpoint in a process of its own that loses its temper, and keeps a record of what came.

    python -m tests.faults.hook_receiver PORT RECORD SEED

Each delivery meets one behaviour by chance: most are taken; others are answered 500, answered later
than the sender waits, or never. One delivery meets two failures at most, over all lives of the
process: RECORD, a line of JSON for each request, says what it met before.
"""

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from project.local.data_folder import free_port
from project.local.env import ROOT

TAKES, REFUSES, IS_LATE, HANGS = "takes", "500", "late", "hangs"
MOST_FAILURES = 2  # of one delivery: each costs a pause
LATE_SECONDS = 1.6
"""More than the sender waits (`hurried_workers`)."""


@dataclass(frozen=True)
class Met:
    """One request, and what it met."""

    id: str
    order: str
    step: int
    behaviour: str


class Receiver(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, record: Path, seed: int) -> None:
        self.record, self.lock = record, threading.Lock()
        self.chance = random.Random(seed)
        lines = read_record(record) if record.exists() else []
        self.failures = Counter(met.id for met in lines if met.behaviour != TAKES)
        super().__init__(("127.0.0.1", port), _Handler)

    def meet(self, message_id: str, data: dict[str, Any]) -> str:
        """Choose what this request meets, and note it before it is answered."""
        with self.lock:
            chosen = self.chance.choices((TAKES, REFUSES, IS_LATE, HANGS), weights=(970, 26, 2, 2))[
                0
            ]
            if self.failures[message_id] >= MOST_FAILURES:
                chosen = TAKES
            self.failures[message_id] += chosen != TAKES
            line = {"id": message_id, **data, "behaviour": chosen}
            with open(self.record, "a") as file:
                file.write(json.dumps(line) + "\n")
            return chosen


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        behaviour = self.server.meet(str(self.headers["webhook-id"]), body["data"])
        if behaviour == HANGS:
            time.sleep(60)
            return
        if behaviour == IS_LATE:
            time.sleep(LATE_SECONDS)
        try:
            self.send_response(500 if behaviour == REFUSES else 200)
            self.end_headers()
        except OSError:
            pass  # the sender didn't wait

    def log_message(self, *args: Any) -> None:
        pass


def read_record(path: Path) -> list[Met]:
    """Return what came, in its order; a line that a kill cut off isn't one."""
    found = []
    for line in path.read_text().splitlines():
        try:
            found.append(Met(**json.loads(line)))
        except ValueError:
            continue
    return found


class HookReceiver:
    """The receiver's process, to be killed and started again."""

    def __init__(self, folder: Path, *, seed: int) -> None:
        self.port, self.record, self._seed = free_port(), folder / "came.jsonl", seed
        self.record.touch()
        self.kills = 0
        self.process = self._start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    def came(self) -> list[Met]:
        return read_record(self.record)

    def kill(self) -> None:
        """Kill it and start it again: what is on its way to it dies."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.kills += 1
        with open(self.record, "a") as file:
            file.write("\n")  # what the kill cut off spoils no other line
        self.process = self._start()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        module = ["-m", "tests.faults.hook_receiver", str(self.port), str(self.record)]
        return subprocess.Popen([sys.executable, *module, str(self._seed + self.kills)], cwd=ROOT)


@contextmanager
def running_receiver(folder: Path, *, seed: int) -> Iterator[HookReceiver]:
    receiver = HookReceiver(folder, seed=seed)
    try:
        yield receiver
    finally:
        receiver.stop()


if __name__ == "__main__":
    port, record, seed = sys.argv[1:]
    Receiver(int(port), Path(record), int(seed)).serve_forever()
