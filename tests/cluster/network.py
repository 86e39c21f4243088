"""Machines of a test as Linux namespaces on one machine, joined by two switches.

A machine has a network, processes, mounts and a name of its own. When its first process is killed,
the kernel ends all others at once, as a power cut does. All machines are inside one more set of
namespaces, the lab, which ends with the process that made it, however that ends. Outside of it
their addresses (RFC 5737: for documentation) lead nowhere.

front: clients, proxy, web, broker, mail ── uplink ── back: databases, etcd
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from project.local.env import ROOT
from tests.cluster.namespaces import (
    children,
    command_line,
    descendants,
    namespace,
    network_of,
    numbers,
)
from tests.live import wait_until

PROGRAMS = ("ip", "unshare", "nsenter", "setpriv", "mount")


def missing() -> str:
    """Return why no such machines can be made here; empty if they can."""
    for name in PROGRAMS:
        if shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None:
            return f"there is no program {name!r}"
    tried = subprocess.run(
        ["unshare", *_NAMESPACES, "--fork", "--kill-child", "--mount-proc", "--", *_TRIED],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"no namespaces here: {tried.stderr.strip()}" if tried.returncode else ""


_NAMESPACES = ("--net", "--pid", "--mount", "--uts", "--ipc")
_TRIED = ("ip", "link", "add", "front", "type", "bridge")


@dataclass(frozen=True)
class Service:
    """One of a machine's processes. It is started as root."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str = str(ROOT)


class NetworkError(Exception):
    """What `ip` complains about."""


class Lab:
    """Two switches, and a cable between them that can be unplugged."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [
                "unshare",
                "--net",
                "--pid",
                "--fork",
                "--kill-child",
                "--",
                "sh",
                "-c",
                "echo; read _",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()
        self.processes: list[subprocess.Popen[bytes]] = []
        """What started the machines' first processes; they end with those."""
        (self.pid,) = children(self._process.pid)
        self.ip(
            "link add front type bridge",
            "link add back type bridge",
            "link add uplink type veth peer name downlink",
            "link set uplink master front",
            "link set downlink master back",
            *(f"link set {name} up" for name in ("lo", "front", "back", "uplink", "downlink")),
        )

    def ip(self, *lines: str, network: int | None = None) -> None:
        """Run these commands of `ip` in the switches' network, or in that of another process."""
        done = subprocess.run(
            ["nsenter", "--target", str(network or self.pid), "--net", "ip", "-batch", "-"],
            input="\n".join(lines) + "\n",
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise NetworkError(done.stderr.strip())

    def unplug(self, cable: str) -> None:
        """Let nothing pass any more; nobody is told."""
        self.ip(f"link set {cable} down")

    def plug(self, cable: str) -> None:
        self.ip(f"link set {cable} up")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate(b"\n")
        for process in self.processes:
            process.communicate()


class Machine:
    """A machine at one of the two switches; `boot` it.

    `services` are started with it and kept running. Their output is in `folder`.
    """

    def __init__(
        self,
        lab: Lab,
        name: str,
        address: str,
        *,
        switch: str,
        folder: Path,
        services: Mapping[str, Service] | None = None,
    ) -> None:
        self.name = name
        self.address = address
        self.folder = folder / name
        self.services = dict(services or {})
        self._lab = lab
        self._switch = switch
        self._process: subprocess.Popen[bytes] | None = None
        self.pid = 0
        """The first process's, as it is seen from outside."""

    def boot(self, **environment: str) -> None:
        """Start it, with these variables for each of its services besides."""
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o711)
        services = {
            name: asdict(service) | {"env": {**service.env, **environment}}
            for name, service in self.services.items()
        }
        configuration = self.folder / "machine.json"
        configuration.write_text(
            json.dumps({"name": self.name, "folder": str(self.folder), "services": services})
        )
        configuration.chmod(0o600)
        first = [sys.executable, "-I", str(Path(__file__).with_name("machine.py"))]
        with open(self.folder / "machine.log", "ab") as log:
            self._process = subprocess.Popen(
                [
                    *("nsenter", "--target", str(self._lab.pid), "--pid", "--"),
                    *("unshare", *_NAMESPACES, "--fork", "--kill-child", "--mount-proc", "--"),
                    *(*first, str(configuration)),
                ],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._lab.processes.append(self._process)
        wait_until(self._find_first, seconds=10, what=f"{self.name} has a first process")
        self._plug_in()
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()

    def _find_first(self) -> bool:
        """Find the process that is the first of its namespace, inside the lab's."""
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "machine.log").read_text()
        for pid in descendants(self._process.pid):
            own = numbers(pid)
            if len(own) == 3 and own[-1] == "1":
                self.pid = pid
                # Until it is unshared, its network is still that of the test.
                return namespace(pid, "net") != namespace(os.getpid(), "net")
        return False

    def _plug_in(self) -> None:
        # The same card after each start, so that nobody looks for it at another address.
        card = ":".join(["02", "00", *(f"{int(part):02x}" for part in self.address.split("."))])
        self._lab.ip(
            f"link add {self.name} type veth peer name eth0 address {card} netns {self.pid}",
            f"link set {self.name} master {self._switch}",
            f"link set {self.name} up",
        )
        self._lab.ip(
            "link set lo up",
            f"address add {self.address}/24 dev eth0",
            "link set eth0 up",
            network=self.pid,
        )

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def cut_off(self) -> None:
        """Unplug its cable: nothing comes in or goes out, and nobody is told."""
        self._lab.unplug(self.name)

    def let_in(self) -> None:
        self._lab.plug(self.name)

    def kill(self) -> None:
        """Take its power: it says no more word, and every process of it is gone."""
        assert self._process is not None
        self.cut_off()
        os.kill(self.pid, signal.SIGKILL)
        self._process.wait(20)
        with suppress(NetworkError):
            self._lab.ip(f"link delete {self.name}")

    def processes(self, word: str = "") -> list[int]:
        """Return its processes in whose command line the word stands, as seen from outside."""
        own = namespace(self.pid, "pid")
        return [
            pid
            for pid in descendants(self.pid)
            if namespace(pid, "pid") == own and word in command_line(pid)
        ]

    def signal(self, number: signal.Signals, word: str) -> None:
        """Signal the processes in whose command line the word stands; there must be some."""
        found = self.processes(word)
        assert found, f"no {word} on {self.name}"
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def run(self, *argv: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a program at this machine's place in the network, with its services' environment."""
        service = next(iter(self.services.values()))
        return subprocess.run(
            ["nsenter", "--target", str(self.pid), "--net", "--", *argv],
            cwd=service.cwd,
            env=dict(service.env),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def inside(self) -> AbstractContextManager[None]:
        """Let this thread's new sockets be this machine's for the length of the block."""
        return network_of(self.pid)
