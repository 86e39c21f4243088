"""A bounded HTTP client for loopback: so many connections, each with one request at a time."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

HOST = "127.0.0.1"

MakeRequest = Callable[[], bytes]


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
    return asyncio.run(_load([(make, connections, 0.0)], port, seconds))[0]


def loads(port: int, *, parts: list[tuple[MakeRequest, int, float]], seconds: float) -> list[Load]:
    """Send several kinds of requests at once: each with its connections, and with the seconds that
    each of them pauses after an answer."""
    return asyncio.run(_load(parts, port, seconds))


async def _load(
    parts: list[tuple[MakeRequest, int, float]], port: int, seconds: float
) -> list[Load]:
    started = time.perf_counter()
    end = started + seconds
    results = [Load() for _part in parts]
    await asyncio.gather(
        *(
            _client(port, make, result, end=end, pause=pause)
            for result, (make, connections, pause) in zip(results, parts, strict=True)
            for _connection in range(connections)
        )
    )
    for result in results:
        result.seconds = time.perf_counter() - started
    return results


async def _client(port: int, make: MakeRequest, result: Load, *, end: float, pause: float) -> None:
    reader = writer = None
    while True:
        if reader is None or writer is None:
            reader, writer = await asyncio.open_connection(HOST, port)
        request = make()
        started = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        lowered = head.lower()
        if size := _length(lowered):
            await reader.readexactly(size)
        result.note(int(head[9:12]), time.perf_counter() - started, head)
        if b"\r\nconnection: close" in lowered:
            writer.close()
            reader = writer = None
        if time.perf_counter() >= end:
            break
        if pause:
            await asyncio.sleep(pause)
    if writer is not None:
        writer.close()


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
