"""Real proxies before web processes of a test, made from the examples in deploy/.

What differs from the examples: addresses and paths, and that there is no TLS.
"""

import re
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from project.local.data_folder import free_port
from tests.deploy.proxies import HAPROXY, NGINX, NGINX_MAIN, program
from tests.live import wait_until


def replace(pattern: str, new: str, text: str) -> str:
    """Replace what stands in the text; fail if it doesn't."""
    replaced, times = re.subn(pattern, lambda _found: new, text, flags=re.MULTILINE)
    assert times, f"the example has no {pattern!r}"
    return replaced


def lets_in(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


class HAProxy:
    """HAProxy before the web processes of these ports, whom it knows as web1, web2, …"""

    def __init__(self, folder: Path, ports: Sequence[int]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._ports = list(ports)
        self._admin = folder / "admin.sock"
        self.file = folder / "haproxy.cfg"
        self.file.write_text(self._text())

    def _text(self) -> str:
        servers = [
            f"    server web{number} 127.0.0.1:{port} check\n"
            for number, port in enumerate(self._ports, start=1)
        ]
        text = replace(r"^    bind :::80 .*\n", f"    bind 127.0.0.1:{self.port}\n", HAPROXY)
        text = replace(r"^    bind :::443 .*\n", "", text)
        text = replace(r"^    http-request redirect scheme https .*\n", "", text)
        text = replace(r"/run/haproxy/admin\.sock", str(self._admin), text)
        return replace(r"(^    server web\d .*\n)+", "".join(servers), text)

    def takes(self, port: int) -> bool:
        """Tell whether it sends requests to this port."""
        name = f"web{self._ports.index(port) + 1}"
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(self._admin))
            sock.sendall(b"show stat\n")
            table = b"".join(iter(lambda: sock.recv(65536), b"")).decode()
        columns, *rows = (line.split(",") for line in table.removeprefix("# ").splitlines())
        (status,) = (row[columns.index("status")] for row in rows if row[:2] == ["web", name])
        return status.startswith("UP")


@contextmanager
def haproxy(folder: Path, ports: Sequence[int]) -> Iterator[HAProxy]:
    made = HAProxy(folder, ports)
    with open(folder / "haproxy.log", "wb") as log:
        process = subprocess.Popen(
            [program("haproxy"), "-db", "-f", str(made.file)], stdout=log, stderr=log
        )
    try:
        wait_until(lambda: lets_in(made.port), seconds=10, what="HAProxy lets people in")
        yield made
    finally:
        process.kill()
        process.wait()


class Nginx:
    """nginx before the web processes of these ports."""

    def __init__(self, folder: Path, ports: Sequence[int]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._main = folder / "nginx.conf"
        self._main.write_text(NGINX_MAIN.format(folder=folder))
        self.lead_to(ports)

    def lead_to(self, ports: Sequence[int]) -> None:
        """Write the lines of these web processes. `reload` has nginx read them."""
        (options,) = re.findall(r"^    server web:8000(.*;)$", NGINX, re.MULTILINE)
        servers = [f"    server 127.0.0.1:{port}{options}\n" for port in ports]
        text = replace(r"^    server web:8000.*\n", "".join(servers), NGINX)
        text = replace(r"^server \{\n    listen 80;\n(?:.*\n)*?\}\n", "", text)
        text = replace(r"^    listen 443 ssl;\n", f"    listen 127.0.0.1:{self.port};\n", text)
        text = replace(r"^    listen \[::\]:443 ssl;\n", "", text)
        text = replace(r"^    ssl_\w+ .*\n", "", text)
        (self._folder / "tandem.conf").write_text(text)

    def reload(self) -> None:
        subprocess.run([*self.command(), "-s", "reload"], check=True, timeout=20)

    def command(self) -> list[str]:
        folder = self._folder
        return [
            *(program("nginx"), "-e", f"{folder}/nginx.log", "-c", str(self._main)),
            *("-g", f"daemon off; error_log {folder}/nginx.log;"),
        ]


@contextmanager
def nginx(folder: Path, ports: Sequence[int]) -> Iterator[Nginx]:
    made = Nginx(folder, ports)
    process = subprocess.Popen(made.command())
    try:
        wait_until(lambda: lets_in(made.port), seconds=10, what="nginx lets people in")
        yield made
    finally:
        process.terminate()
        process.wait(20)
