#!/bin/sh
# A gunicorn that was started by `python -m gunicorn` can't be renewed by SIGUSR2.
#
# Expected: SIGUSR2 starts a new master beside the old one, whichever way gunicorn was started: its
#   documentation names the signal for an upgrade of the running server.
# Seen (gunicorn 27.0.1, Python 3.11, 2026-11-29): the new master is executed with the old one's
#   argv, whose first word is now the path .../gunicorn/__main__.py. Python makes that file's folder
#   the first place of modules, so `http` is gunicorn's own package: any application that imports
#   `http.cookies` (Django, Werkzeug) ends with an ImportError, and so does the new master. Started
#   by the program `gunicorn` it works. The old master goes on in both cases.
#
# Runs without any other project: one WSGI function that imports http.cookies. Exits 0 while gunicorn
# does this, 1 once it does not.
set -eu
python=${PYTHON:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "gunicorn==27.0.1"
cd "$folder"
cat > app.py <<'PYTHON'
from http import cookies


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(cookies.SimpleCookie()).encode()]
PYTHON
cat > run.py <<'PYTHON'
import os
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

ways = {
    "python -m gunicorn": [sys.executable, "-m", "gunicorn"],
    "gunicorn": [str(Path(sys.executable).with_name("gunicorn"))],
}
renewed = {}
for name, command in ways.items():
    log = Path(f"{len(renewed)}.log")
    pid_file = Path(f"{len(renewed)}.pid")
    with log.open("wb") as output:
        master = subprocess.Popen(
            [*command, "-b", "127.0.0.1:0", "--preload", "--no-control-socket", "-p", str(pid_file), "app:application"],
            stdout=output,
            stderr=output,
        )
    new = Path(f"{pid_file}.2")
    for _ in range(100):
        if "Booting worker" in log.read_text():
            break
        time.sleep(0.1)
    master.send_signal(signal.SIGUSR2)
    for _ in range(100):
        if new.exists() or "ImportError" in log.read_text():
            break
        time.sleep(0.1)
    renewed[name] = new.exists()
    if new.exists():
        os.kill(int(new.read_text()), signal.SIGTERM)
    print(f"{name}: the new master {'runs' if renewed[name] else 'ended'};", end=" ")
    print(next((line for line in log.read_text().splitlines() if "ImportError" in line), "").split(" (")[0])
    master.terminate()
    master.wait(20)
print(f"gunicorn {version('gunicorn')}, Python {sys.version.split()[0]}")
sys.exit(0 if renewed == {"python -m gunicorn": False, "gunicorn": True} else 1)
PYTHON
"$folder/venv/bin/python" run.py
