"""A supervisor over two small processes, for test_supervisor: `supervised.py DATA`."""

import asyncio
import sys
from pathlib import Path

from project.local import reaper
from project.local.console import Console
from project.local.data_folder import DataFolder
from project.local.supervisor import Service, Supervisor

SLEEPER = "print('up', flush=True); import time; time.sleep(600)"
# Finishes what it has in hand when asked to stop, as gunicorn does.
DRAINING = """
import signal, sys, time
def drain(*_):
    print("draining", flush=True)
    time.sleep(float(sys.argv[1]))
    print("drained", flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, drain)
print("up", flush=True)
while True:
    time.sleep(0.05)
"""


async def main(data: DataFolder, *, drain_seconds: str) -> None:
    supervisor = Supervisor(data, Console(1))
    supervisor.environment = {"TANDEM_DATA": str(data.path)}

    async def start() -> None:
        supervisor.keep(Service("web", [sys.executable, "-c", DRAINING, drain_seconds]))
        supervisor.keep(Service("relay", [sys.executable, "-c", SLEEPER]))

    await supervisor.run(start)


if __name__ == "__main__":
    folder = DataFolder(Path(sys.argv[1]))
    folder.create()
    lock = folder.lock()
    assert lock is not None
    guard = reaper.start_reaper(folder, lock=lock)
    asyncio.run(main(folder, drain_seconds=sys.argv[2]))
    guard.communicate()
