"""The deadline of a whole send, independent of the other side.

A socket's timeout limits one read: a server that sends a byte a second never reaches it. Here
every read and write gets the remaining time of the whole send.
"""

import io
import socket
import time

CONNECT_SECONDS = 5.0
"""For each address of a host: one that drops packets must leave time for the next."""


class Deadline:
    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Return the remaining seconds, above zero. Raises TimeoutError if there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left

    def leaves(self, seconds: float) -> bool:
        """Tell whether so many seconds remain."""
        return self._end - time.monotonic() >= seconds

    def shorten(self, seconds: float) -> None:
        """Move the deadline to at most so many seconds from now."""
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
