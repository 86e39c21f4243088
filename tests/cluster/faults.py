"""The faults of a cluster. Each is a block: what it breaks is broken inside, and mended at its end.

Whoever asks for a fault waits, inside of the block, until shoppers are served again.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.cluster import Cluster
from tests.cluster.databases import TTL
from tests.live import wait_until

FIRST_ORDER = 15.0
"""Seconds until the first order after a fault."""
SILENT_PRIMARY = TTL + FIRST_ORDER
"""… where the primary's Patroni can't say that it gives up: its time runs out first."""


@dataclass(frozen=True)
class Fault:
    """`name` for the table, `block` breaks and mends, `within` are seconds to the first order."""

    name: str
    block: Callable[[Cluster], AbstractContextManager[None]]
    within: float = FIRST_ORDER


@contextmanager
def primary_killed(cluster: Cluster) -> Iterator[None]:
    """kill -9 of the server and all its children; Patroni on its machine lives."""
    machine = cluster.databases.machines[cluster.databases.leader()]
    for pid in server_processes(cluster, machine.name):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    yield


@contextmanager
def primary_machine_lost(cluster: Cluster) -> Iterator[None]:
    """The primary's machine loses its power, and gets it back later."""
    machine = cluster.databases.machines[cluster.databases.leader()]
    machine.kill()
    yield
    cluster.databases.boot(machine.name)


@contextmanager
def primary_machine_off(cluster: Cluster) -> Iterator[None]:
    """The same, and an operator who knows it takes its key out of etcd."""
    with primary_machine_lost(cluster):
        cluster.databases.forget_leader()
        yield


@contextmanager
def primary_cut_off(cluster: Cluster) -> Iterator[None]:
    """The primary's machine loses its network, and gets it back later."""
    machine = cluster.databases.machines[cluster.databases.leader()]
    machine.cut_off()
    yield
    machine.let_in()


@contextmanager
def standby_killed(cluster: Cluster) -> Iterator[None]:
    """The standby's machine loses its power, and gets it back later."""
    machine = cluster.databases.machines[cluster.databases.standby()]
    machine.kill()
    yield
    cluster.databases.boot(machine.name)


@contextmanager
def switched_over(cluster: Cluster) -> Iterator[None]:
    """An operator lets the standby lead."""
    standby = cluster.databases.standby()
    asking = threading.Thread(target=cluster.databases.switch_over)
    asking.start()
    wait_until(lambda: cluster.databases.leader() in ("", standby), seconds=30, what="it leads")
    yield
    asking.join()


@contextmanager
def web_machine_killed(cluster: Cluster) -> Iterator[None]:
    """A machine with web, relay, workers and beat loses its power, and gets it back later."""
    machine = cluster.dice.choice(list(cluster.shop.web.values()))
    machine.kill()
    yield
    machine.boot()


@contextmanager
def clock_ahead(cluster: Cluster) -> Iterator[None]:
    """A web machine comes back with a clock that is an hour ahead, and is put right later."""
    machine = cluster.dice.choice(list(cluster.shop.web.values()))
    machine.kill()
    machine.boot(PYTHONPATH=str(Path(__file__).with_name("ahead")))
    wait_until(lambda: cluster.shop.is_ready(machine.name), seconds=120, what="it is up")
    yield
    time.sleep(10)  # its processes take part
    machine.kill()
    machine.boot()


@contextmanager
def database_far(cluster: Cluster) -> Iterator[None]:
    """For ten seconds each frame from the web machines to the databases takes 50 ms."""
    slow = subprocess.Popen(
        [
            *("nsenter", "--target", str(cluster.lab.pid), "--net", "--", sys.executable, "-I"),
            *(str(Path(__file__).with_name("delay.py")), "0.05"),
        ],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert slow.stdout is not None
        assert slow.stdout.readline() == b"ready\n"
        cluster.lab.unplug("uplink")
        cluster.lab.ip(
            "link set slow-front master front",
            "link set slow-back master back",
            "link set slow-front up",
            "link set slow-back up",
        )
        began = time.monotonic()
        yield
        _pause_until(began + 10)
    finally:
        slow.kill()
        slow.communicate()
        cluster.lab.plug("uplink")


@contextmanager
def database_lost(cluster: Cluster) -> Iterator[None]:
    """For ten seconds nothing passes between web machines and databases."""
    again = threading.Timer(10, cluster.lab.plug, ["uplink"])
    cluster.lab.unplug("uplink")
    again.start()
    yield
    again.join()


@contextmanager
def broker_frozen(cluster: Cluster) -> Iterator[None]:
    """For twelve seconds RabbitMQ takes connections and bytes, and answers nothing."""
    assert cluster.shop.gateway is not None
    cluster.shop.gateway.freeze()
    began = time.monotonic()
    yield
    _pause_until(began + 12)
    cluster.shop.gateway.mend()


FAULTS = [
    Fault("primary killed", primary_killed),
    Fault("primary's machine lost", primary_machine_lost, SILENT_PRIMARY),
    Fault("primary's machine lost, and its key taken out", primary_machine_off),
    Fault("primary cut off", primary_cut_off, SILENT_PRIMARY),
    Fault("standby's machine lost", standby_killed),
    Fault("switchover", switched_over),
    Fault("web machine lost", web_machine_killed),
    Fault("web to database 50 ms longer", database_far),
    Fault("web to database lost for 10 s", database_lost, 10 + FIRST_ORDER),
    Fault("RabbitMQ frozen", broker_frozen),
    Fault("clock of a web machine an hour ahead", clock_ahead),
]
QUICK = (
    "web machine lost",  # first: what its workers had in hand is free again after 30 s
    "primary killed",
    "RabbitMQ frozen",
    "switchover",
    "standby's machine lost",
)
"""Those of the normal tier: none of them waits for a Patroni that can't say that it gives up."""


def named(name: str) -> Fault:
    (fault,) = (fault for fault in FAULTS if fault.name == name)
    return fault


def deck(seed: int) -> Iterator[Fault]:
    """Yield faults without end: all of them in an order of the seed's, then all again."""
    dice = random.Random(seed)
    while True:
        yield from dice.sample(FAULTS, len(FAULTS))


def server_processes(cluster: Cluster, name: str) -> list[int]:
    """Return PostgreSQL's processes on this machine, the server first."""
    machine = cluster.databases.machines[name]
    return [
        pid
        for pid in machine.processes()
        if Path(f"/proc/{pid}/comm").read_text().strip() == "postgres"
    ]


def _pause_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))
