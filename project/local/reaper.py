"""The reaper: it waits until the supervisor is gone, then stops the remaining processes.

The supervisor holds the other end of the reaper's standard input, and the pipe closes when the
supervisor ends. After an orderly stop no process remains. After `kill -9` the reaper stops the
processes of the run folder in the usual order. Meanwhile it still holds the lock of the data
folder, so the next start waits for it.

Run as `python -m project.local.reaper DATA [--remove]`; --remove also deletes the folder.
"""

import argparse
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

from project.local.data_folder import DataFolder
from project.local.processes import stop_everything


def start_reaper(data: DataFolder, *, lock: int, remove: bool = False) -> subprocess.Popen[bytes]:
    """Start a reaper that holds `lock` and acts when this process is gone.

    Close its `stdin` to end it in an orderly way.
    """
    argv = [sys.executable, "-m", "project.local.reaper", str(data.path)]
    return subprocess.Popen(
        argv + ["--remove"] * remove,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[lock],
        start_new_session=True,  # out of reach of the terminal's Ctrl-C
        cwd=Path(__file__).resolve().parents[2],
    )


def watch(data: DataFolder, pipe: IO[bytes], *, remove: bool) -> None:
    """Block until the other end of `pipe` closes, then stop the run folder's processes."""
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.SIG_IGN)
    pipe.read()
    stop_everything(data.run, data=data.path)
    if remove:
        shutil.rmtree(data.path, ignore_errors=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--remove", action="store_true")
    options = parser.parse_args()
    watch(DataFolder(options.data), sys.stdin.buffer, remove=options.remove)
