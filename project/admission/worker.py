"""gunicorn's worker with threads, and before them a queue in which orders wait.

gunicorn gives each request to its threads, where it waits in a queue without an end. Here an order
(`POST` to one of `ORDER_PATHS`) gets a thread only while fewer than three quarters of them have
one; the others serve pages and health checks. It waits for it in a queue of its own, for `PATIENCE`
at most, and costs no thread meanwhile. Then it is refused.

Everything here but `handle` runs in the thread that accepts connections.
"""

import re
import socket
import time
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.util import http_date
from gunicorn.workers.gthread import TConn, ThreadWorker

from project.admission.moments import Moments
from project.admission.queue import AdmissionQueue
from project.admission.refusal import API_ORDERS, refused
from project.figures.noting import Counter, count

API_PATHS = (API_ORDERS, "/api/v1/holds")
ORDER_PATHS = (*API_PATHS, "/checkout/", "/checkout/hold/")
"""Where orders and holds, which wait for the same writer, are sent to. Written in another way, as
with %2F, they aren't recognised: they get a thread as pages do, and wait there
(`orders.placing.turns`)."""
COMPLETIONS = b"POST /ucp/v1/checkout-sessions/", b"/complete"
"""What an agent's order begins with, and what comes behind its checkout's id of 36 characters. One
that comes by MCP can't be told from a question there: it waits in its thread."""
PATIENCE = 0.4
"""Seconds that an order waits in the queue. A refusal must come within a second, also where the
threads leave this one little of the interpreter's time."""
LOOK_SECONDS = 1.0
"""Between two looks at the gauges."""
NOT_LET_IN = Counter("tandem_orders_not_let_in", "Orders that found no thread, and were refused")
NOTE_SECONDS = 10.0
"""A line in the log tells of the refusals of so many seconds."""

_OF_PROGRAMS, _OF_ORDERS = (
    tuple(f"POST {path}{end}".encode() for path in paths for end in " ?")
    for paths in (API_PATHS, ORDER_PATHS)
)
_LONGEST_START = max(*map(len, _OF_ORDERS), sum(map(len, COMPLETIONS)) + 37)
_READ_SIZE = 65536
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*(?=\r\n|$)", re.IGNORECASE)
_DOUBTFUL = re.compile(
    rb"\A[^\r]* HTTP/1\.0|(?<!\r)\n|transfer-encoding|\r\nexpect:"
    rb"|\r\nconnection:[^\r]*(close|upgrade)|content-length.*content-length",
    re.IGNORECASE | re.DOTALL,
)
"""What makes it doubtful where the request ends, or ends its connection."""


class AdmittingWorker(ThreadWorker):
    """`answer_to_programs`: the bytes that refuse an order of the API; None: ask the shop."""

    answer_to_programs: bytes | None = None
    sockets: list[socket.socket]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._queue: AdmissionQueue[TConn] = AdmissionQueue(
            patience=PATIENCE, most=self.worker_connections // 2
        )
        self._in_threads: dict[TConn, bool] = {}
        """The connections whose request has a thread or waits for one; True if it is an order."""
        self._orders = 0
        """How many of them are orders."""
        self._most_orders = self.cfg.threads * 3 // 4
        self._refusals = 0
        self._noted = 0.0
        self._moments = Moments()
        self._look_due = 0.0

    # ── Letting in ──────────────────────────────────────────────────────────────────────────

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept connections or leave them waiting; at the stop, close the port."""
        super().set_accept_enabled(enabled and self.alive)
        if not self.alive:
            self._close_port()

    def _close_port(self) -> None:
        """Accept the connections that wait at the port, and close it.

        gunicorn keeps it open until the last request has ended: whoever connects meanwhile is let
        in by the kernel, answered by nobody, and reset at the end. A proxy whose connection is
        refused has sent nothing, and asks another machine, with an order too.
        """
        listeners, self.sockets = self.sockets, []
        for listener in listeners:
            known = -1
            while known != self.nr_conns:
                known = self.nr_conns
                self.accept(listener)
            listener.close()

    def enqueue_req(self, conn: TConn) -> None:
        """Give the request of this connection a thread, or, an order, a place in the queue."""
        start = _start_of(conn)
        if not start and not conn.initialized and not conn.data_ready:
            self._wait_for_data(conn)
        elif not _is_order(start):
            self._give_thread(conn)
        elif not self._queue and self._has_thread_for_order():
            self._give_thread(conn, is_order=True)
        elif not self._queue.join(conn, now=time.monotonic()):
            self._refuse(conn)

    def finish_request(self, conn: TConn, fs: Any) -> None:
        """Take the thread back, and give it to the first order in the queue."""
        self._orders -= self._in_threads.pop(conn)
        super().finish_request(conn, fs)
        while self._queue and self._has_thread_for_order():
            self._give_thread(self._queue.next(), is_order=True)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait no longer than the first order in the queue; then refuse those that are late."""
        left = self._queue.seconds_left(now=time.monotonic())
        super().wait_for_and_dispatch_events(timeout if left is None else min(timeout, left))
        now = time.monotonic()
        for conn in self._queue.late(now=now):
            self._refuse(conn)
        if now >= self._look_due:
            self._look_due = now + LOOK_SECONDS
            self._moments.look(waiting_orders=len(self._queue), busy_threads=len(self._in_threads))

    def _has_thread_for_order(self) -> bool:
        return self._orders < self._most_orders and len(self._in_threads) < self.cfg.threads

    def _give_thread(self, conn: TConn, *, is_order: bool = False) -> None:
        self._in_threads[conn] = is_order
        self._orders += is_order
        super().enqueue_req(conn)

    def _wait_for_data(self, conn: TConn) -> None:
        """Wait for a new connection's request without a thread: browsers open some in advance."""
        conn.timeout = time.monotonic() + self.cfg.keepalive
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    # ── Refusing ────────────────────────────────────────────────────────────────────────────

    def handle(self, conn: TConn) -> Any:
        """Serve a request, in a thread."""
        if not getattr(conn, "is_refused", False):
            return super().handle(conn)
        conn.is_refused = False
        with refused():
            return super().handle(conn)

    def _refuse(self, conn: TConn) -> None:
        self._count_refusal()
        if self.answer_to_programs is None or not _start_of(conn).startswith(_OF_PROGRAMS):
            conn.is_refused = True
            self._give_thread(conn)
            return
        conn.sock.setblocking(False)
        try:
            is_kept = self._takes_whole_request(conn)
            conn.sock.send(self._answer(is_kept=is_kept))
            if not is_kept:
                # The request is read to its end: closed before, the answer might be lost with it.
                conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(conn)
            return
        conn.set_timeout()
        if is_kept:
            self.keepalived_conns.append(conn)
            ready = partial(self.on_client_socket_readable, conn)
        else:
            self.pending_conns.append(conn)
            ready = partial(self._drain, conn)
        self.poller.register(conn.sock, EVENT_READ, ready)

    def _takes_whole_request(self, conn: TConn) -> bool:
        """Take what has come of a request, and tell whether its connection may have another one."""
        if conn.parser is not None and conn.parser.unreader.buf.getvalue():
            return False
        is_whole = is_all_there(conn.sock.recv(_READ_SIZE))
        return is_whole and self.alive and len(self.keepalived_conns) < self.max_keepalived

    def _answer(self, *, is_kept: bool) -> bytes:
        head, _, rest = (self.answer_to_programs or b"").partition(b"\r\n")
        connection = b"keep-alive" if is_kept else b"close"
        date = http_date().encode()
        return b"%b\r\nDate: %b\r\nConnection: %b\r\n%b" % (head, date, connection, rest)

    def _drain(self, conn: TConn, _sock: Any) -> None:
        """Read what is left of a refused request; close at its end, or by `murder_pending`."""
        try:
            if conn.sock.recv(_READ_SIZE):
                return
        except BlockingIOError:
            return
        except OSError:
            pass  # it is gone, too
        self.poller.unregister(conn.sock)
        self.pending_conns.remove(conn)
        self._close(conn)

    def _close(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()

    def _count_refusal(self) -> None:
        count(NOT_LET_IN)
        self._refusals += 1
        now = time.monotonic()
        if now - self._noted >= NOTE_SECONDS:
            self.log.warning(
                "%d orders refused: all threads for orders were taken, and %d wait",
                self._refusals,
                len(self._queue),
            )
            self._refusals, self._noted = 0, now


def _is_order(start: bytes) -> bool:
    """Tell whether this is the beginning of an order, or of a hold."""
    before, behind = COMPLETIONS
    rest = start[len(before) + 36 :]
    is_completion = start.startswith(before) and rest.startswith((behind + b" ", behind + b"?"))
    return is_completion or start.startswith(_OF_ORDERS)


def _start_of(conn: TConn) -> bytes:
    """Return the first bytes of the connection's next request, without taking them.

    Empty if none have come. A request that its sender cuts there isn't recognised.
    """
    if conn.parser is not None and (read := conn.parser.unreader.buf.getvalue()):
        return bytes(read[:_LONGEST_START])
    try:
        return bytes(conn.sock.recv(_LONGEST_START, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except (OSError, ValueError):  # nothing yet; or encrypted, which can't be looked into
        return b""


def is_all_there(request: bytes) -> bool:
    """Tell whether this is a whole request, surely and exactly, and another one may follow it."""
    head, _, body = request.partition(b"\r\n\r\n")
    lengths = _LENGTH.findall(head)
    return len(lengths) == 1 and int(lengths[0]) == len(body) and not _DOUBTFUL.search(head)
