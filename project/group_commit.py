"""Group commit: one long-lived thread commits the items of many callers together.

Callers submit items and wait; the thread takes all waiting items and applies them in one
transaction on a connection of its own. One item alone is a batch of one; under load batches
grow by themselves, so a hot row is locked once per batch instead of once per caller.
"""

import atexit
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Any, Generic, TypeVar

from django.db import OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

logger = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")


_drains: list[Callable[[], object]] = []


def drain_on_exit(drain: Callable[[], object]) -> None:
    """Register a function that drains committers when the process ends.

    gunicorn's `worker_exit` calls it in the web process, atexit in commands. It may run twice.
    """
    _drains.append(drain)
    atexit.register(drain)


def drain_all() -> None:
    """Finish the items that the committers of this process have taken, and stop the committers."""
    for drain in _drains:
        drain()


class GroupCommitError(Exception):
    """An item was not applied, or its outcome is unknown."""


class NotTakenError(GroupCommitError):
    """Never applied: the queue was full, the committer stopped, or the deadline came first."""


class NotCommittedError(GroupCommitError):
    """Tried, and certainly not committed: no attempt got as far as COMMIT."""


class UnknownCommitError(GroupCommitError):
    """No answer in time, or a COMMIT's reply was lost: the item may or may not be committed."""


class RepeatBatch(Exception):
    """`apply` raises it when the data that it read have changed: the batch is repeated."""


class Defer:
    """`apply` returns it for an item that can't be applied now: the item goes back to the queue."""


DEFER = Defer()


class _State(Enum):
    WAITING = auto()
    TAKEN = auto()
    ANSWERED = auto()


class Submission(Generic[T, R]):
    """One item in a committer's queue. Its caller waits in `result`."""

    __slots__ = (
        "_committer",
        "_error",
        "_in_doubt",
        "_pending",
        "_result",
        "_state",
        "deadline",
        "item",
    )

    def __init__(self, committer: "GroupCommitter[T, R]", item: T, deadline: float) -> None:
        self.item = item
        self.deadline = deadline
        self._committer = committer
        # Held until there is an answer. A bare lock, because each order makes and sets two: an
        # Event is a lock, a condition and a queue of waiters, where only one caller waits.
        self._pending = threading.Lock()
        self._pending.acquire()
        self._state = _State.WAITING
        self._in_doubt = False  # a COMMIT with this item was sent and never answered
        self._result: R | None = None
        self._error: BaseException | None = None

    def result(self, *, grace: float) -> R:
        """Wait until the deadline and return the answer.

        Past the deadline an item that was never taken is withdrawn (NotTakenError); one that
        is being applied gets `grace` more seconds, then UnknownCommitError.
        """
        if (
            not self._answered(within=self.deadline - time.monotonic())
            and not self._committer.withdraw(self)
            and not self._answered(within=grace)
        ):
            raise UnknownCommitError("no answer from the database in time")
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]

    def _answer_with(self, *, result: R | None = None, error: BaseException | None = None) -> None:
        if self._state is _State.ANSWERED:
            return  # the first answer counts
        self._result, self._error, self._state = result, error, _State.ANSWERED
        self._pending.release()

    def _answered(self, *, within: float) -> bool:
        answered = self._pending.acquire(timeout=max(0.0, within))
        if answered:
            self._pending.release()  # so that a second call of `result` returns at once
        return answered

    def _fail(self, error: BaseException) -> None:
        """Answer with an error of ours; after a COMMIT in doubt it is UnknownCommitError."""
        if self._in_doubt:
            error = UnknownCommitError("the connection was lost while committing")
        self._answer_with(error=error)


class GroupCommitter(Generic[T, R]):
    """A daemon thread with a bounded queue and one database connection.

    `apply(connection, items)` runs inside the transaction and returns one answer per item: a
    result, an exception for that item alone, or DEFER. It may run more than once for the same
    items, so it must find and return the rows that an earlier run committed.
    """

    def __init__(
        self,
        *,
        name: str,
        apply: Callable[[BaseDatabaseWrapper, Sequence[T]], Sequence[Any]],
        using: str = "writer",
        batch_size: int = 256,
        queue_size: int = 4096,
        max_deferred: int = 16,
        defer_pause: float = 0.02,
    ) -> None:
        self.name = name
        self.apply = apply
        self._using = using
        self._batch_size = batch_size
        self._queue_size = queue_size
        self._max_deferred = max_deferred
        self._defer_pause = defer_pause
        self._queue: deque[Submission[T, R]] = deque()
        self._deferred: list[Submission[T, R]] = []
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, item: T, *, deadline: float) -> Submission[T, R]:
        """Queue the item; `deadline` is on the `time.monotonic` clock. Raises NotTakenError."""
        submission = Submission(self, item, deadline)
        with self._changed:
            if self._stopping:
                raise NotTakenError("the committer is stopping")
            if len(self._queue) >= self._queue_size:
                raise NotTakenError("the queue is full")
            self._queue.append(submission)
            self._changed.notify()
        return submission

    def withdraw(self, submission: Submission[T, R]) -> bool:
        """Withdraw a waiting item; False if it is being applied or has its answer."""
        with self._changed:
            if submission._state is not _State.WAITING:
                return False
            submission._fail(NotTakenError("the deadline came before a place in a batch"))
            return True

    def is_alive(self) -> bool:
        """Whether its thread runs: until `drain`, in the process that made it."""
        return self._thread.is_alive()

    def drain(self, *, timeout: float) -> bool:
        """Refuse new items, finish the waiting ones, end the thread; True if all were finished."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(timeout)
        return not self.is_alive()

    # ── the thread ──────────────────────────────────────────────────────────────────────────
    def _run(self) -> None:
        try:
            while batch := self._take():
                try:
                    self._commit(batch)
                except Exception:
                    # All later callers depend on this thread: a bug in `apply` must not end it.
                    logger.exception("%s failed", self.name)
                    self._fail_all(batch, UnknownCommitError, "the committer failed")
        finally:
            connections[self._using].close()

    def _take(self) -> list[Submission[T, R]]:
        """Wait for items and take them, the deferred ones first; empty once all are drained."""
        with self._changed:
            while True:
                if not self._queue:
                    if self._deferred:
                        self._changed.wait(self._defer_pause)
                    elif self._stopping:
                        return []
                    else:
                        self._changed.wait()
                candidates = self._deferred
                while self._queue and len(candidates) < self._batch_size:
                    candidates.append(self._queue.popleft())
                self._deferred = []
                now = time.monotonic()
                batch = []
                for submission in candidates:
                    if submission._state is not _State.WAITING:
                        continue
                    if submission.deadline <= now:
                        submission._fail(NotTakenError("the deadline has passed"))
                        continue
                    submission._state = _State.TAKEN
                    batch.append(submission)
                if batch:
                    return batch

    def _commit(self, batch: list[Submission[T, R]]) -> None:
        """Apply the batch until it is committed or its deadlines have passed.

        A lost connection loses no item: the whole batch is applied again on a new one. There it
        finds the rows of a COMMIT that had no reply.
        """
        pause = 0.05
        while batch:
            connection = connections[self._using]
            reached_commit = False
            try:
                with transaction.atomic(using=self._using, durable=True):
                    items = [submission.item for submission in batch]
                    answers = list(zip(batch, self.apply(connection, items), strict=True))
                    reached_commit = True
            except RepeatBatch:
                batch = self._without_expired(batch)
            except Exception as error:
                if isinstance(error, OperationalError) or not _is_alive(connection):
                    logger.warning("%s repeats its batch: %s", self.name, error)
                    connection.close()
                    if reached_commit:
                        for submission in batch:
                            submission._in_doubt = True
                    batch = self._without_expired(batch)
                    if batch:
                        time.sleep(pause)
                        pause = min(pause * 2, 0.5)
                    continue
                if len(batch) == 1:
                    logger.exception("%s can't apply an item", self.name)
                    with self._changed:
                        batch[0]._fail(error)
                else:
                    # One item is the cause. Applied alone, it fails alone.
                    for submission in batch:
                        self._commit(self._without_expired([submission]))
                return
            else:
                self.answer(answers)
                return

    def _without_expired(self, batch: list[Submission[T, R]]) -> list[Submission[T, R]]:
        """Answer items whose deadline has passed with an error; return the others."""
        now = time.monotonic()
        expired = [submission for submission in batch if submission.deadline <= now]
        self._fail_all(expired, NotCommittedError, "not committed by its deadline")
        return [submission for submission in batch if submission.deadline > now]

    def answer(self, answers: list[tuple[Submission[T, R], Any]]) -> None:
        """Hand each submission its answer, right after the COMMIT; DEFER puts it back to wait."""
        with self._changed:
            for submission, answer in answers:
                if answer is DEFER:
                    if len(self._deferred) < self._max_deferred:
                        submission._state = _State.WAITING
                        self._deferred.append(submission)
                    else:
                        submission._fail(NotTakenError("too many wait for a locked row"))
                elif isinstance(answer, BaseException):
                    submission._answer_with(error=answer)
                else:
                    submission._answer_with(result=answer)

    def _fail_all(
        self, batch: list[Submission[T, R]], error: type[GroupCommitError], reason: str
    ) -> None:
        with self._changed:
            for submission in batch:
                if submission._state is not _State.ANSWERED:
                    submission._fail(error(reason))


def _is_alive(connection: BaseDatabaseWrapper) -> bool:
    return connection.connection is not None and not connection.connection.closed
