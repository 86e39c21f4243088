"""Make .venv hold what a requirements file says: `bin/environment requirements.txt`.

A stamp written last says what was installed and from which file. Without a stamp (nothing
there, or an installation that was cut off) and with a broken one, the environment is made anew;
with the stamp of another requirements file, it is brought up to date.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed.json"


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
    print(f"Installing {requirements} ...", file=sys.stderr)
    # Locked with hashes and complete, so nothing needs resolving. Wheels only, because those
    # need no compiler; pyvips has none, but is pure Python beside pyvips-binary.
    run(
        *(str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--require-hashes", "--no-deps", "--only-binary", ":all:", "--no-binary", "pyvips"),
        *("--requirement", requirements),
    )
    write_stamp(requirements)


class Failed(Exception):
    """A command failed; in one line, why."""


def run(*argv: str) -> None:
    done = subprocess.run(argv, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("ERROR")]
        raise Failed((errors or lines or [f"{argv[0]} ended with {done.returncode}"])[-1])


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
