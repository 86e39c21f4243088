#!/bin/sh
# gunicorn's gthread worker keeps its port open at a stop, and answers nobody there.
#
# Expected: after SIGTERM the port is closed: who connects is refused and can ask another machine,
#   as nothing has been sent. Or those whom the kernel still lets in are answered.
# Seen (gunicorn 27.0.1, Python 3.11): the worker stops accepting but holds its listening socket
#   until its last open request has ended. Whoever connects meanwhile is let in by the kernel and
#   sends a request that nobody reads; when the worker ends, the connection is reset. A proxy can't
#   repeat it, since it may have been carried out.
#
# Runs without any other project: one gunicorn on loopback, three requests.
# Exits 0 while gunicorn does this, 1 once it does not.
set -eu
python=${PYTHON:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "gunicorn==27.0.1"
cd "$folder"
cat > app.py <<'PYTHON'
import time


def application(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        time.sleep(4)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
PYTHON
cat > run.py <<'PYTHON'
import os
import signal
import socket
import subprocess
import sys
import time
from importlib.metadata import version


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def send(port, path):
    sock = socket.create_connection(("127.0.0.1", port), timeout=20)
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    return sock


def late_request(*options):
    """Stop gunicorn during a slow request; return what a request gets that comes after."""
    port = free_port()
    program = os.path.join(os.path.dirname(sys.executable), "gunicorn")
    server = subprocess.Popen(
        [program, "-b", f"127.0.0.1:{port}", "--no-control-socket", *options, "app"],
        stderr=subprocess.DEVNULL,
    )
    try:
        for _try in range(100):
            try:
                send(port, "/").close()
                break
            except OSError:
                time.sleep(0.1)
        slow = send(port, "/slow")
        time.sleep(1)
        server.send_signal(signal.SIGTERM)
        time.sleep(1)
        try:
            late = send(port, "/")
        except ConnectionRefusedError:
            answer = "refused"
        else:
            try:
                answer = late.recv(100)[:15].decode() or "closed without an answer"
            except ConnectionResetError:
                answer = "reset"
        return answer, slow.recv(100)[:15].decode()
    finally:
        server.kill()
        server.wait()


print("gunicorn", version("gunicorn"))
threads, open_request = late_request("-k", "gthread", "--threads", "4")
print(f"gthread: the open request gets {open_request!r}, a later one is {threads}")
sys.exit(threads not in ("reset", "closed without an answer"))
PYTHON
"$folder/venv/bin/python" run.py
