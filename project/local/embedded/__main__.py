"""`python -m project.local.embedded run [--data DIR] -- COMMAND`: runs it with embedded servers.

It starts PostgreSQL and Valkey in a temporary folder (or in DIR, which stays), sets DATABASE_URL,
CELERY_BROKER_URL and the other variables that the settings need, runs COMMAND, stops the servers,
and exits with COMMAND's code. Servers and shops that the environment names are left alone.
"""

import argparse
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from project.local.data_folder import DataFolder
from project.local.embedded.running import running_servers, temporary_data_folder
from project.local.env import without_settings
from project.local.errors import CannotStart
from project.local.processes import PidFile


def run(command: list[str], *, data: DataFolder, remove: bool) -> int:
    """Run `command` beside servers in `data`; return its exit code, 128 + N for signal N."""
    with running_servers(data, remove=remove) as values:
        process = subprocess.Popen(command, env={**without_settings(os.environ), **values})
        PidFile(data.run, "command").write(process.pid)

        def forward(number: int, frame: FrameType | None) -> None:
            process.send_signal(number)

        signal.signal(signal.SIGTERM, forward)
        signal.signal(signal.SIGHUP, forward)
        # The terminal sends Ctrl-C to the command as well, and the command handles it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        code = process.wait()
    return code if code >= 0 else 128 - code


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m project.local.embedded", description=__doc__)
    actions = parser.add_subparsers(required=True)
    run_parser = actions.add_parser("run")
    run_parser.add_argument("--data", type=Path)
    run_parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    # Until the command runs, SIGTERM unwinds the servers like any other exit.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    with ExitStack() as stack:
        try:
            if options.data:
                data = DataFolder(options.data)
            else:
                data = stack.enter_context(temporary_data_folder())
            return run(options.command, data=data, remove=not options.data)
        except CannotStart as obstacle:
            print(obstacle, file=sys.stderr)
            return 1


if __name__ == "__main__":
    sys.exit(main())
