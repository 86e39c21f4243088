"""The moment when a send must be over, whatever the other side does.

A socket's timeout bounds one read: a server that drips a byte a second never meets it. Here
every read and write gets what is left of the whole.
"""

import io
import socket
import time

CONNECT_SECONDS = 5.0
"""For each address of a host: one that swallows packets must leave time for the next."""


class Deadline:
    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, above zero. Raises TimeoutError if there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left

    def leaves(self, seconds: float) -> bool:
        """Whether there are so many seconds left."""
        return self._end - time.monotonic() >= seconds

    def shorten(self, seconds: float) -> None:
        """Leave at most that many seconds from now."""
        self._end = min(self._end, time.monotonic() + seconds)

    def connect_timeout(self) -> float:
        """The timeout of one connection attempt, in seconds. Raises TimeoutError."""
        return min(CONNECT_SECONDS, self.remaining())

    def reader(self, sock: socket.socket) -> io.BufferedReader:
        """Return a file to read from the socket, as `makefile("rb")` does, but bounded."""
        return io.BufferedReader(_BoundedReads(sock, self))


class _BoundedReads(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock, self._deadline = sock, deadline
        self._raw = sock.makefile("rb", buffering=0)  # keeps the socket open as long as this

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        self._sock.settimeout(self._deadline.remaining())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
