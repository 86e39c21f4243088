"""A bounded HTTP client for loopback: so many connections, or so many requests per second."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

HOST = "127.0.0.1"

MakeRequest = Callable[[], bytes]
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Closed:
    """Clients who send the next request after the answer to the last one, and a pause."""

    make: MakeRequest
    connections: int
    pause: float = 0.0
    """Seconds."""


@dataclass(frozen=True)
class Open:
    """Requests that come at a rate, however many are still without an answer."""

    make: MakeRequest
    per_second: float


@dataclass
class Load:
    """What the connections got in one round."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: dict[int, list[float]] = field(default_factory=dict)
    """Milliseconds by status."""
    without_retry_after: int = 0
    """Answers 503 that don't say when to try again."""

    def note(self, status: int, latency: float, head: bytes) -> None:
        self.statuses[status] += 1
        self.latencies.setdefault(status, []).append(1000 * latency)
        if status == 503 and b"\r\nretry-after:" not in head.lower():
            self.without_retry_after += 1

    def rate(self, *statuses: int) -> float:
        """Return the answers per second that had one of these statuses."""
        return sum(self.statuses[status] for status in statuses) / self.seconds

    def percentile(self, percent: float, *statuses: int) -> float:
        """Return the latency in ms of these answers; 0 if there are none."""
        found = sorted(each for status in statuses for each in self.latencies.get(status, []))
        return found[min(len(found) - 1, int(len(found) * percent / 100))] if found else 0.0


def load(port: int, make: MakeRequest, *, connections: int, seconds: float) -> Load:
    """Send requests for so many seconds: each connection the next one after an answer."""
    return loads(port, parts=[Closed(make, connections)], seconds=seconds)[0]


def loads(port: int, *, parts: Sequence[Closed | Open], seconds: float) -> list[Load]:
    """Send several kinds of requests at once."""
    return asyncio.run(_load(parts, port, seconds))


async def _load(parts: Sequence[Closed | Open], port: int, seconds: float) -> list[Load]:
    started = time.perf_counter()
    results = [Load() for _part in parts]
    await asyncio.gather(
        *(
            client
            for part, result in zip(parts, results, strict=True)
            for client in _clients(part, port, result, end=started + seconds)
        )
    )
    for result in results:
        result.seconds = time.perf_counter() - started
    return results


def _clients(
    part: Closed | Open, port: int, result: Load, *, end: float
) -> list[Coroutine[Any, Any, None]]:
    if isinstance(part, Open):
        return [_arrive(port, part.make, result, per_second=part.per_second, end=end)]
    return [
        _client(port, part.make, result, end=end, pause=part.pause)
        for _connection in range(part.connections)
    ]


async def _client(port: int, make: MakeRequest, result: Load, *, end: float, pause: float) -> None:
    connection = None
    while True:
        connection = await _ask(port, make(), result, connection)
        if time.perf_counter() >= end:
            break
        if pause:
            await asyncio.sleep(pause)
    if connection is not None:
        connection[1].close()


async def _arrive(
    port: int, make: MakeRequest, result: Load, *, per_second: float, end: float
) -> None:
    """Send so many requests per second, whatever becomes of those before."""
    idle: list[Connection] = []

    async def ask() -> None:
        connection = await _ask(port, make(), result, idle.pop() if idle else None)
        if connection is not None:
            idle.append(connection)

    async with asyncio.TaskGroup() as requests:
        due = time.perf_counter()
        while due < end:
            requests.create_task(ask())
            due += 1 / per_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
    for _reader, writer in idle:
        writer.close()


async def _ask(
    port: int, request: bytes, result: Load, connection: Connection | None
) -> Connection | None:
    """Note the answer to a request; return its connection, unless it was closed after it."""
    reader, writer = connection or await asyncio.open_connection(HOST, port)
    started = time.perf_counter()
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    lowered = head.lower()
    if size := _length(lowered):
        await reader.readexactly(size)
    result.note(int(head[9:12]), time.perf_counter() - started, head)
    if b"\r\nconnection: close" in lowered:
        writer.close()
        return None
    return reader, writer


def _length(head: bytes) -> int:
    """Return the length of the body that follows. An answer in chunks isn't read: none comes."""
    _before, found, rest = head.partition(b"\r\ncontent-length:")
    if not found:
        assert b"\r\ntransfer-encoding:" not in head, head
        return 0
    return int(rest.partition(b"\r\n")[0])


def get(path: str, **headers: str) -> MakeRequest:
    """Return what makes the same GET each time."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n{lines}\r\n".encode()
    return lambda: request


def post_json(path: str, body: bytes, **headers: str) -> bytes:
    """Return a POST with a JSON body."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{lines}\r\n"
    ).encode() + body
