"""StatsD by UDP: the figures of a process, sent to `STATSD_ADDRESS` as well if it is set.

A datagram is handed to the system and forgotten: a server that is slow or gone delays nobody.
"""

import socket
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from project.figures.noting import Figure

LONGEST = 1400
"""Bytes of a datagram, which then isn't cut on its way."""
_KINDS = {"Counter": "c", "Gauge": "g", "Histogram": "h"}
_socket: socket.socket | None = None


def send(noted: "Sequence[tuple[Figure, tuple[str, ...], float]]") -> None:
    """Send the figures; what can't be sent at once is lost."""
    address: tuple[str, int] | None = settings.STATSD_ADDRESS
    if not noted or address is None:
        return
    try:
        for datagram in _datagrams(noted):
            _own_socket(*address).send(datagram)
    except OSError:
        pass  # nobody listens, or the system's buffer is full


def _own_socket(host: str, port: int) -> socket.socket:
    global _socket
    if _socket is None:
        family, kind, protocol, _name, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
        )[0]
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        made.connect(address)
        _socket = made
    return _socket


def _datagrams(noted: "Sequence[tuple[Figure, tuple[str, ...], float]]") -> Iterator[bytes]:
    lines: list[bytes] = []
    length = 0
    for line in map(_line, noted):
        if lines and length + len(line) + 1 > LONGEST:
            yield b"\n".join(lines)
            lines, length = [], 0
        lines.append(line)
        length += len(line) + 1
    if lines:
        yield b"\n".join(lines)


def _line(noted: "tuple[Figure, tuple[str, ...], float]") -> bytes:
    """Return one figure with its labels as tags (DogStatsD, as Telegraf and Datadog read them)."""
    figure, labels, value = noted
    tags = ",".join(
        f"{name}:{_plain(label)}" for name, label in zip(figure.labels, labels, strict=True)
    )
    line = f"{figure.name}:{value:g}|{_KINDS[type(figure).__name__]}"
    return (f"{line}|#{tags}" if tags else line).encode()


def _plain(label: str) -> str:
    return "".join("_" if character in ",|#:\n" else character for character in label)
