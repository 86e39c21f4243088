"""A release of two web machines, one after the other, behind the real HAProxy and nginx.

64 clients order all the while: none gets another answer than that of a placed order.
"""

import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from orders.models import Order, ProductSales, Stock
from project.local.data_folder import free_port
from project.models import Heartbeat
from project.monitoring.health import SERVICES
from tests.concurrency.proxies import HAProxy, Nginx, haproxy, nginx
from tests.concurrency.web import Visitors, Web
from tests.deploy.files import SETTINGS
from tests.factories import add_product
from tests.live import wait_until

pytestmark = [
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.xdist_group("live"),
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.timeout(300),
]

STOCK = 1_000_000
AS_DEPLOYED = {name: SETTINGS[name] for name in ("DRAIN_SECONDS", "TRUSTED_PROXY_COUNT")}


Proxied = Callable[[Path, Sequence[int]], AbstractContextManager[HAProxy | Nginx]]
"""A proxy before the machines of these ports."""


class Machine:
    """A web process that is stopped and started anew on its port, set up as in deploy/."""

    def __init__(self, folder: Path, **variables: str) -> None:
        folder.mkdir()
        self.port = free_port()
        self._folder = folder
        self._variables = variables
        self.start()

    def start(self) -> None:
        self.web = Web(self._folder, port=self.port, **(AS_DEPLOYED | self._variables))

    def stop(self) -> None:
        """Ask it to stop, as a supervisor does, and wait for its end."""
        self.web.process.terminate()
        assert self.web.process.wait(60) == 0

    def restart(self) -> None:
        """Stop it, start it anew, and wait until it says that it is ready."""
        self.stop()
        self.start()
        self.wait_until_ready()

    def kill(self) -> None:
        """End its processes as a crash does; the master starts others."""
        for pid in children(self.web.master):
            os.kill(pid, signal.SIGKILL)

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.web.url}/readyz", timeout=5, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def wait_until_ready(self) -> None:
        wait_until(self.is_ready, seconds=60, what="readyz is 200")


@contextmanager
def machines(folder: Path, **variables: str) -> Iterator[list[Machine]]:
    """Start two machines for one shop with TEA, all of whose services are seen."""
    add_product("TEA", stock=STOCK)
    for service in SERVICES:
        Heartbeat.objects.beat(f"{service}@{socket.gethostname()}:1", broker="ok")
    with ExitStack() as stops:
        pair = []
        for name in ("one", "two"):
            pair.append(Machine(folder / name, **variables))
            stops.callback(lambda machine=pair[-1]: machine.web.stop())
        for machine in pair:
            machine.wait_until_ready()
        yield pair


def ports(pair: Sequence[Machine]) -> list[int]:
    return [machine.port for machine in pair]


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def ordering(url: str, *, keeping: int = 32) -> Iterator[Visitors]:
    """Have 64 clients order without pause, so many of them on connections that they keep."""
    with Visitors(url, clients=64, keeping=keeping) as visitors:
        wait_for_orders(visitors, 200)
        yield visitors
        wait_for_orders(visitors, 200)


def wait_for_orders(visitors: Visitors, more: int) -> None:
    enough = len(visitors.placed) + more
    wait_until(lambda: len(visitors.placed) > enough, seconds=60, what="orders are placed")


def assert_none_failed(visitors: Visitors) -> None:
    assert visitors.failed == []
    assert visitors.refusals == []
    assert set(visitors.answers) == {201}


def assert_none_lost(visitors: Visitors) -> None:
    """Each answer has its order, each order its answer, and its unit is counted once."""
    assert {str(pk) for pk in Order.objects.values_list("pk", flat=True)} == set(visitors.placed)
    assert len(set(visitors.placed)) == len(visitors.placed)
    assert STOCK - Stock.objects.get().available == len(visitors.placed)
    assert ProductSales.objects.get().units == len(visitors.placed)


@pytest.mark.parametrize("proxied_by", [haproxy, nginx])
def test_a_release_fails_no_request(tmp_path: Path, proxied_by: Proxied) -> None:
    """The next machine is stopped when the one before is ready, and HAProxy has it in again."""
    with (
        machines(tmp_path) as pair,
        proxied_by(tmp_path, ports(pair)) as proxy,
        ordering(proxy.url) as visitors,
    ):
        for machine in pair:
            machine.restart()
            if isinstance(proxy, HAProxy):
                wait_until(lambda at=machine.port: proxy.takes(at), seconds=30, what="it is in")

    assert_none_failed(visitors)
    assert_none_lost(visitors)


def test_a_line_of_nginx_is_taken_out_and_put_in_and_no_request_fails(tmp_path: Path) -> None:
    """The line out, reload, SIGTERM, start, the line in, reload.

    Each request has a connection of its own: at a reload nginx closes those that its clients keep,
    perhaps one on which a request comes at this moment.
    """
    with (
        machines(tmp_path) as pair,
        nginx(tmp_path, ports(pair)) as proxy,
        ordering(proxy.url, keeping=0) as visitors,
    ):
        for machine in pair:
            proxy.lead_to([port for port in ports(pair) if port != machine.port])
            proxy.reload()
            machine.restart()
            proxy.lead_to(ports(pair))
            proxy.reload()

    assert_none_failed(visitors)
    assert_none_lost(visitors)


@pytest.mark.parametrize("proxied_by", [haproxy, nginx])
def test_a_stop_without_seconds_to_drain_fails_no_request(
    tmp_path: Path, proxied_by: Proxied
) -> None:
    """No proxy knows of it before its connections are refused, and asks the other machine."""
    with (
        machines(tmp_path, DRAIN_SECONDS="0") as pair,
        proxied_by(tmp_path, ports(pair)) as proxy,
        ordering(proxy.url) as visitors,
    ):
        pair[0].stop()

    assert_none_failed(visitors)
    assert_none_lost(visitors)


@pytest.mark.parametrize("proxied_by", [haproxy, nginx])
def test_control_gunicorns_own_worker_fails_requests_at_such_a_stop(
    tmp_path: Path, proxied_by: Proxied
) -> None:
    """Its port stays open, without anybody who accepts."""
    own = {"DRAIN_SECONDS": "0", "GUNICORN_CMD_ARGS": "--worker-class gthread"}
    with (
        machines(tmp_path, **own) as pair,
        proxied_by(tmp_path, ports(pair)) as proxy,
        ordering(proxy.url) as visitors,
    ):
        pair[0].stop()

    assert visitors.failed + visitors.refusals


@pytest.mark.parametrize("proxied_by", [haproxy, nginx])
def test_control_a_killed_machine_fails_requests(tmp_path: Path, proxied_by: Proxied) -> None:
    with (
        machines(tmp_path) as pair,
        proxied_by(tmp_path, ports(pair)) as proxy,
        ordering(proxy.url) as visitors,
    ):
        pair[0].kill()

    assert visitors.failed + visitors.refusals
