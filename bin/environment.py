"""Make .venv hold what a requirements file says: `bin/environment requirements.txt`.

A stamp written last says what was installed and from which file. Without a stamp (nothing
there, or an installation that was cut off) and with a broken one, the environment is made anew;
with the stamp of another requirements file, it is brought up to date.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed.json"
SHOWN_SECONDS = 10
"""How often progress is shown where lines can't be written over: in a log."""


def main(requirements: str) -> int:
    try:
        with installing_alone():
            install(requirements)
    except Failed as failure:
        print(f"The environment can't be made: {failure}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"The environment can't be made: {error.strerror}: {VENV}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


@contextmanager
def installing_alone() -> Iterator[None]:
    """Hold the checkout's lock: scripts that start at the same time install once."""
    descriptor = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def install(requirements: str) -> None:
    """Do what is missing, nothing if all is there; raise Failed."""
    stamp = read_stamp()
    if stamp.get("files", {}).get(requirements) == digest(requirements):
        return
    STAMP.unlink(missing_ok=True)
    if not stamp:
        print("Making .venv ...", file=sys.stderr)
        remove_venv()
        run(sys.executable, "-m", "venv", str(VENV))
    count = len(re.findall(r"^[A-Za-z0-9].*==", (ROOT / requirements).read_text(), re.MULTILINE))
    print(
        f"Installing {count} packages of {requirements}: a minute or two, once ...", file=sys.stderr
    )
    # Locked with hashes and complete, so nothing needs resolving. Wheels only, because those
    # need no compiler; the three that come without one are pure Python: pyvips
    # beside pyvips-binary, and two that Patroni needs, which tests/cluster starts.
    run(
        *(str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check"),
        *("--progress-bar", "off"),
        *("--require-hashes", "--no-deps", "--only-binary", ":all:"),
        *("--no-binary", "pyvips,python-etcd,ydiff"),
        *("--requirement", requirements),
        progress=Progress(count),
    )
    write_stamp(requirements)


class Failed(Exception):
    """A command failed; in one line, why."""


class Progress:
    """Shows on stderr how far pip is: on a terminal in one line, else a line now and then."""

    def __init__(self, count: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._count, self._clock = count, clock
        self._begin = self._shown = clock()
        self._collected = 0
        self._step = "fetched"

    def line(self, text: str) -> None:
        """Take a line of pip's output."""
        if text.startswith(("Collecting ", "Processing ", "Ignoring ")):
            self._collected += 1
        elif text.startswith("Installing collected packages"):
            self._step = "fetched, and are being unpacked"

    def show(self) -> None:
        """Show the progress, if it is time; call it about once a second."""
        now = self._clock()
        terminal = sys.stderr.isatty()
        if not terminal and now - self._shown < SHOWN_SECONDS:
            return
        self._shown = now
        done = min(self._collected, self._count)
        text = f"  {done} of {self._count} packages are {self._step} ({now - self._begin:.0f} s)"
        print(f"\r{text:<75}" if terminal else text, end="" if terminal else "\n", file=sys.stderr)
        sys.stderr.flush()

    def end(self) -> None:
        """Leave the line that was written over."""
        if sys.stderr.isatty():
            print(file=sys.stderr)


def run(*argv: str, progress: Progress | None = None) -> None:
    """Run the command, showing its progress; raise Failed with the line that says why."""
    process = subprocess.Popen(
        argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    errors: list[str] = []
    assert process.stdout is not None
    assert process.stderr is not None
    readers = [
        threading.Thread(target=_read, args=(process.stdout, progress.line if progress else None)),
        threading.Thread(target=_read, args=(process.stderr, errors.append)),
    ]
    try:
        for reader in readers:
            reader.start()
        while readers[0].is_alive():
            readers[0].join(1)
            if progress:
                progress.show()
        code = process.wait()
        readers[1].join()
    except BaseException:
        process.kill()
        raise
    finally:
        if progress:
            progress.end()
    if code != 0:
        lines = [line.rstrip() for line in errors if line.strip()]
        causes = [line for line in lines if line.startswith("ERROR")]
        raise Failed((causes or lines or [f"{argv[0]} ended with {code}"])[-1])


def _read(pipe: IO[str], take: Callable[[str], object] | None) -> None:
    with pipe:
        for line in pipe:
            if take:
                take(line)


def digest(requirements: str) -> str:
    return hashlib.sha256((ROOT / requirements).read_bytes()).hexdigest()


def packages() -> list[str]:
    """The names in the environment's package folders: a missing one is a broken environment."""
    return sorted(
        path.name for path in VENV.glob("lib/python*/site-packages/*") if path.name != "__pycache__"
    )


def read_stamp() -> dict[str, dict[str, str]]:
    """What the last complete installation wrote; empty if the environment is unusable."""
    try:
        stamp = json.loads(STAMP.read_text())
        if not set(stamp["packages"]) <= set(packages()):
            return {}
        subprocess.run([PYTHON, "-c", ""], check=True, capture_output=True)
    except (OSError, ValueError, KeyError, TypeError, subprocess.CalledProcessError):
        return {}
    return dict(stamp)


def write_stamp(requirements: str) -> None:
    # What the tests need contains what the shop needs.
    names = {requirements, "requirements.txt"}
    stamp = {"files": {name: digest(name) for name in names}, "packages": packages()}
    draft = STAMP.with_suffix(".new")
    draft.write_text(json.dumps(stamp))
    draft.replace(STAMP)


def remove_venv() -> None:
    if VENV.is_symlink() or VENV.is_file():
        VENV.unlink()
    elif VENV.exists():
        shutil.rmtree(VENV)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
