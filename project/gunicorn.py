"""The settings of gunicorn: `gunicorn -c python:project.gunicorn project.wsgi`.

The master loads the shop before it opens the port, and forks its processes: nobody is let in before
somebody can answer, a process that died is replaced at once, and the processes share the shop's
memory. For a new release send it SIGUSR2 (docs/production.md): a new master loads that release
beside the old one, which leaves once a process of the new one answers.

There are more threads (2 × 64) than orders that may be placed at a time, so pages and health
checks still answer under load; the orders beyond that wait before the threads
(`project.admission`).
"""

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gunicorn
from gunicorn.systemd import sd_notify

from project import draining
from project.admission.refusal import answer_to_programs
from project.conf.environment import port, switch
from project.figures import folder, noting
from project.local.data_folder import is_free

# After SIGUSR2 a gunicorn that was started by `python -m gunicorn` has its own folder as the first
# place of modules: `http` would be its own, not Python's, and the shop couldn't be loaded.
_own = Path(gunicorn.__file__).resolve().parent
sys.path[:] = [place for place in sys.path if Path(place).resolve() != _own]

BOOT_ERROR = 3
"""A worker's exit status after which gunicorn stops, and starts no other in its place."""


def _loopback(port: int) -> list[str]:
    """Both addresses that `localhost` may mean; IPv6 where the machine has it."""
    hosts = ["127.0.0.1"] + ["[::1]"] * is_free(0, "::1")
    return [f"{host}:{port}" for host in hosts]


_port = port("PORT")
# The local run has simulated carriers and shows all shoppers' mail: loopback only.
bind = _loopback(_port) if switch("TANDEM_LOCAL") else [f"0.0.0.0:{_port}"]
worker_class = "project.admission.worker.AdmittingWorker"  # gthread, and a queue for orders
workers = 2
threads = 64
keepalive = 5
timeout = 60
graceful_timeout = 20  # seconds that a stop leaves to the open requests
_drain_seconds = draining.drain_seconds()
preload_app = True
# It would believe X-Forwarded-Proto of each program on this machine; TRUSTED_PROXY_COUNT decides.
secure_scheme_headers: dict[str, str] = {}
forwarded_allow_ips = ""
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 (its own file)
control_socket_disable = True  # its path would exceed the limit of about 100 characters


def on_starting(server: Any) -> None:
    """Let the first SIGTERM only begin the stop: see `_drain_first`."""
    server.handle_term = _drain_first(server)


def _drain_first(server: Any) -> Callable[[], None]:
    """Return gunicorn's answer to SIGTERM: `/readyz` fails, and the stop itself comes a bit later.

    A second SIGTERM stops at once. So does the first where a new master has taken over the port:
    it answers, and a balancer must not take the machine for one that leaves.
    """
    stop = server.handle_term

    def handle_term() -> None:
        if not _drain_seconds or draining.is_draining() or server.reexec_pid:
            stop()
        draining.begin()
        server.log.info("Stops in %s s: /readyz fails from now on", _drain_seconds)
        timer = threading.Timer(_drain_seconds, os.kill, [os.getpid(), signal.SIGTERM])
        timer.daemon = True
        timer.start()

    return handle_term


def pre_fork(server: Any, worker: Any) -> None:
    """Keep what is loaded out of the processes' collections, which would copy its memory."""
    gc.collect()
    gc.freeze()


def post_worker_init(worker: Any) -> None:
    """Check the settings once, by the first process; each writes its answer to refused orders.

    Then the first one ends the master of the release before, if there is one.
    """
    from django.conf import settings

    from project.checks import stop_at_errors
    from project.tracing.sending import start_sending

    if worker.age == 1:
        stop_at_errors(exit_status=BOOT_ERROR)
    worker.answer_to_programs = answer_to_programs(worker.wsgi, site_url=settings.SITE_URL)
    noting.forget()  # that was nobody's order
    start_sending("web")
    if worker.age == 1:
        _succeed(worker)


def _succeed(worker: Any) -> None:
    """Let the old master go, which started this process's own by SIGUSR2: this one answers now.

    systemd, which watches over the old one, is told who comes after it.
    """
    before = os.environ.get("GUNICORN_PID")
    if before is None:
        return
    sd_notify(f"MAINPID={worker.ppid}", worker.log)
    worker.log.info("Ends the master before, %s", before)
    os.kill(int(before), signal.SIGTERM)


def worker_exit(server: Any, worker: Any) -> None:
    """Let the order writers finish the items they have taken, then end them."""
    from project.group_commit import drain_all  # the master reads this file before the settings
    from project.tracing.sending import stop_sending

    drain_all()
    stop_sending()
    noting.flush()


def child_exit(server: Any, worker: Any) -> None:
    """Take out what a process that ended showed of its last moment, such as a queue's length."""
    folder.note_end(worker.pid)
