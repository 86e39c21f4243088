"""How far the replica is, as this process knows it: a thread looks at both servers once a second.

So no request waits for a replica that is away, and none asks how far it is: it compares two
numbers. The lag is measured without comparing clocks: the newest look at the primary that the
replica has replayed by now is so old. That is also right while the primary writes nothing, while
the replay is paused, and while the replica is cut off: `now() - pg_last_xact_replay_timestamp()`
grows in the first case, and the standby's own two positions agree in the last.
"""

import logging
import os
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections

from project.figures.noting import Gauge, show
from project.replica import ALIAS
from project.replica.positions import replayed_position, written_position

logger = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks."""
FRESH = 5.0
"""Seconds after which a look says nothing any more: the thread hangs at one of the servers."""
UNKNOWN, AWAY, BEHIND, OWN_WRITE = "unknown", "away", "behind", "own write"
"""Why a read isn't the replica's."""

LAG = Gauge(
    "tandem_replica_lag_seconds",
    "How old what the replica has replayed is at most, as far as a process looks back",
    mode="livemax",
)


class Watch:
    """What is known of the replica. Its thread calls `look`, requests call `reason_against`."""

    def __init__(
        self,
        *,
        written: Callable[[], int] = written_position,
        replayed: Callable[[], int] = replayed_position,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._written, self._replayed, self._clock = written, replayed, clock
        self._looks: list[tuple[float, int]] = []
        """When the primary was asked, and how far it was; as far back as the replica may be."""
        self._position = 0
        self._looked_at = float("-inf")
        self._trouble = UNKNOWN
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def reason_against(self, *, written: int) -> str:
        """Return why the replica can't answer; empty if it can.

        `written` is the position up to which the reader has written.
        """
        self._start()
        if self._clock() - self._looked_at > FRESH:
            return UNKNOWN
        return self._trouble or (OWN_WRITE if self._position < written else "")

    def leave_out(self, error: Exception) -> None:
        """Leave the replica out until the next look: a read has found it away."""
        self._judge(AWAY, str(error))

    def look(self) -> None:
        """Ask both servers, and judge. Raises django.db.Error if the primary is away."""
        now = self._clock()
        written = self._written()
        if self._looks and written < self._looks[-1][1]:
            self._looks.clear()  # another primary, which lacks the end of the old one's log
        most_lag = settings.REPLICA_LAG_SECONDS
        self._looks = [look for look in self._looks if now - look[0] <= most_lag]
        self._looks.append((now, written))
        try:
            self._position = self._replayed()
        except Error as error:
            self._judge(AWAY, str(error))
        else:
            seen = [at for at, position in self._looks if position <= self._position]
            lag = now - (seen[-1] if seen else self._looks[0][0])
            show(LAG, value=lag)
            # Without one it is further behind than the first look, or than it may be.
            self._judge("" if seen else BEHIND, f"more than {lag:.1f} s behind")
        self._looked_at = self._clock()

    def _judge(self, trouble: str, words: str) -> None:
        before, self._trouble = self._trouble, trouble
        if trouble and trouble != before:
            logger.warning("the replica is left out, the primary answers: %s (%s)", trouble, words)
        elif before and not trouble:
            logger.info("the replica answers")

    # ── the thread ──────────────────────────────────────────────────────────────────────────
    def _start(self) -> None:
        """Start the thread at the first question: after a fork, and only where somebody asks."""
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(
                        target=self._run, name="replica-watch", daemon=True
                    )
                    self._thread.start()

    def _run(self) -> None:
        """Look for as long as the process lives: it holds nothing that an end could lose."""
        while True:
            try:
                self.look()
            except Error as error:
                logger.warning("no look at the replica: %s", error)
            except Exception:
                logger.exception("no look at the replica")  # all lists depend on this thread
            finally:
                for alias in (DEFAULT_DB_ALIAS, ALIAS):
                    connections[alias].close()  # back to the pool
            time.sleep(EVERY)


_watch = Watch()


def watch() -> Watch:
    """Return this process's watch; a forked child has its own."""
    return _watch


def _reset_in_child() -> None:
    global _watch
    _watch = Watch()


os.register_at_fork(after_in_child=_reset_in_child)
