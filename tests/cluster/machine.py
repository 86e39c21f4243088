"""The first process of a test's machine: it starts the services, and starts again what ends.

`python -I machine.py CONFIGURATION`, as root, in namespaces of its own (`network.py`). It waits for
a line on its standard input: then the cable is plugged in. It needs no package, so that a machine
is up at once. When it is killed, the kernel ends every process of the machine.
"""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

AGAIN_SECONDS = 1.0
"""What ended is started again so much later."""
LOOK_SECONDS = 0.1


def start(name: str, service: dict[str, Any], folder: Path) -> int:
    """Start a service; its output goes to NAME.log in the machine's folder."""
    with open(folder / f"{name}.log", "ab") as log:
        return subprocess.Popen(
            service["argv"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=service["cwd"],
            env=service["env"],
            start_new_session=True,
        ).pid


def reap() -> list[int]:
    """Return the processes that have ended since the last call."""
    ended: list[int] = []
    while True:
        try:
            pid, _status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended.append(pid)


def main() -> None:
    configuration = json.loads(Path(sys.argv[1]).read_text())
    sys.stdin.readline()
    socket.sethostname(configuration["name"])
    # What a server leaves in shared memory goes with the machine.
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/dev/shm"], check=True)
    services, folder = configuration["services"], Path(configuration["folder"])
    due = dict.fromkeys(services, 0.0)
    running: dict[int, str] = {}
    while True:
        for pid in reap():
            if pid in running:
                due[running.pop(pid)] = time.monotonic() + AGAIN_SECONDS
        for name in [name for name, moment in due.items() if moment <= time.monotonic()]:
            del due[name]
            running[start(name, services[name], folder)] = name
        time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    main()
