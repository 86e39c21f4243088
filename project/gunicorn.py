"""The settings of gunicorn: `gunicorn -c python:project.gunicorn project.wsgi`.

There are more threads (2 × 64) than orders that may be placed at a time, so pages and health
checks still answer under load.
"""

import os
from typing import Any

from project.conf.environment import port, switch
from project.local.data_folder import is_free

BOOT_ERROR = 3
"""A worker's exit status after which gunicorn stops, and starts no other in its place."""


def _loopback(port: int) -> list[str]:
    """Both addresses that `localhost` may mean; IPv6 where the machine has it."""
    hosts = ["127.0.0.1"] + ["[::1]"] * is_free(0, "::1")
    return [f"{host}:{port}" for host in hosts]


_port = port("PORT")
# The local run has simulated carriers and shows all shoppers' mail: loopback only.
bind = _loopback(_port) if switch("TANDEM_LOCAL") else [f"0.0.0.0:{_port}"]
worker_class = "gthread"
workers = 2
threads = 64
keepalive = 5
timeout = 60
graceful_timeout = 20  # seconds that a stop leaves to the open requests
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 (its own file)
control_socket_disable = True  # its path would exceed the limit of about 100 characters


def post_worker_init(worker: Any) -> None:
    """Check the settings once: by the first process, which has loaded the shop by now."""
    from project.checks import stop_at_errors

    if worker.age == 1:
        stop_at_errors(exit_status=BOOT_ERROR)


def worker_exit(server: Any, worker: Any) -> None:
    """Let the order writers finish the items they have taken, then end them."""
    from project.group_commit import drain_all  # the master, which reads this file, has no Django

    drain_all()
