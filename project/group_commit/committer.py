"""The committer: a thread with a bounded queue and one database connection.

Callers submit items and wait; the thread takes all waiting items and applies them in one
transaction on a connection of its own. One item alone is a batch of one; under load batches
grow by themselves, so a hot row is locked once per batch instead of once per caller.
"""

import logging
import threading
import time
from collections import Counter as Tally
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from project.database.errors import Remedy, drop, remedy
from project.figures.noting import Histogram, observe
from project.group_commit.patient_lane import Answers, Patience, PatientLane, RetryPatience
from project.group_commit.submission import (
    DEFER,
    GroupCommitError,
    NotCommittedError,
    NotTakenError,
    RepeatBatch,
    State,
    Submission,
    UnknownCommitError,
    take,
)
from project.tracing.spans import ROOT, is_on, span

logger = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")

Apply = Callable[[BaseDatabaseWrapper, Sequence[Any]], Sequence[Any]]

BATCH_SIZE = Histogram(
    "tandem_writer_batch_items",
    "Items of a writer's committed batches",
    labels=("writer",),
    bounds=(1, 2, 4, 8, 16, 32, 64, 128, 256),
)
BATCH_SECONDS = Histogram(
    "tandem_writer_batch_seconds",
    "Time of a writer's committed batches, with their repetitions",
    labels=("writer",),
    bounds=(0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0),
)
_committers: "WeakSet[GroupCommitter[Any, Any]]" = WeakSet()


def waiting_items() -> dict[str, int]:
    """Return how many items wait in this process, by the committer's name."""
    waiting: Tally[str] = Tally()
    for committer in list(_committers):
        waiting[committer.name] += committer.waiting
    return dict(waiting)


class GroupCommitter(Generic[T, R]):
    """Two daemon threads: one commits waiting items, one waits for rows that others have locked.

    `apply(connection, items)` runs inside the transaction and returns one answer per item: a
    result, an exception for that item alone, or DEFER. It may run more than once for the same
    items, so it must find and return the rows that an earlier run committed. `patience` says
    how an item that was answered DEFER gets its turn; at most `max_stuck` items wait for rows
    that may stay locked for long. Items of one `key` never overtake each other.
    `committed` is called with each batch's items and answers once its callers have theirs.
    `traceparent` gives the span for which an item was submitted: that of its batch links to it.
    """

    def __init__(
        self,
        *,
        name: str,
        apply: Apply,
        patience: Patience | None = None,
        key: Callable[[T], Hashable] | None = None,
        committed: Callable[[Sequence[tuple[T, Any]]], object] | None = None,
        traceparent: Callable[[T], str] | None = None,
        using: str = "writer",
        batch_size: int = 256,
        queue_size: int = 4096,
        max_stuck: int = 16,
    ) -> None:
        self.name = name
        self.apply = apply
        self._key = key
        self._committed = committed
        self._traceparent = traceparent
        self._using = using
        self._batch_size = batch_size
        self._queue_size = queue_size
        self._queue: deque[Submission[T, R]] = deque()
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._stopping = False
        self._lane: PatientLane[T, R] = PatientLane(
            name=f"{name}-patient",
            patience=patience or RetryPatience(apply),
            using=using,
            lock=self._lock,
            batch_size=batch_size,
            max_stuck=max_stuck,
            answer=self.answer,
            apply_alone=self._apply_patiently,
        )
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        _committers.add(self)

    def submit(self, item: T, *, deadline: float) -> Submission[T, R]:
        """Queue the item; `deadline` is on the `time.monotonic` clock. Raises NotTakenError."""
        submission = Submission(item, deadline, self.withdraw)
        with self._changed:
            if self._stopping:
                raise NotTakenError("the committer is stopping")
            if len(self._queue) >= self._queue_size:
                raise NotTakenError("the queue is full")
            self._queue.append(submission)
            self._changed.notify()
        return submission

    def withdraw(self, submission: Submission[T, R]) -> bool:
        """Take back an item that waits; False if it is being applied or has its answer."""
        with self._changed:
            if submission.state is not State.WAITING:
                return False
            submission.give_up(NotTakenError("the deadline came before a place in a batch"))
            return True

    @property
    def waiting(self) -> int:
        """How many items wait for a place in a batch."""
        return len(self._queue)

    def is_alive(self) -> bool:
        """Whether its thread runs: until `drain`, in the process that made it."""
        return self._thread.is_alive()

    def drain(self, *, timeout: float) -> bool:
        """Refuse new items, finish those that wait, end the thread; True if all was finished."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        deadline = time.monotonic() + timeout
        self._thread.join(timeout)
        in_time = self._lane.join(max(0.0, deadline - time.monotonic()))
        return in_time and not self.is_alive()

    # ── the thread ──────────────────────────────────────────────────────────────────────────
    def _run(self) -> None:
        try:
            while batch := self._take():
                try:
                    with self._traced(batch):
                        self._commit(batch)
                except Exception:
                    # All later callers depend on this thread: a bug in `apply` must not end it.
                    logger.exception("%s failed", self.name)
                    self._give_up(batch, UnknownCommitError, "the committer failed")
        finally:
            with self._lock:
                self._lane.close()
            connections[self._using].close()

    def _take(self) -> list[Submission[T, R]]:
        """Wait for items and take them; empty when all is drained."""
        with self._changed:
            while True:
                while not self._queue and not self._stopping:
                    self._changed.wait()
                if not self._queue:
                    return []
                most = min(len(self._queue), self._batch_size)
                batch = take([self._queue.popleft() for _item in range(most)])
                batch = self._without_followers(batch)
                if batch:
                    return batch

    def _without_followers(self, batch: list[Submission[T, R]]) -> list[Submission[T, R]]:
        """Send those on whose key waits in the patient lane: they must not come before it."""
        waiting = self._lane.keys(self._key) if self._key else set()
        if not waiting:
            return batch
        assert self._key is not None
        for submission in batch:
            if self._key(submission.item) in waiting:
                self._lane.add(submission)
        return [submission for submission in batch if submission.state is State.TAKEN]

    def _commit(self, batch: list[Submission[T, R]], apply: Apply | None = None) -> None:
        """Apply the batch until it is committed or its deadlines have passed.

        A lost connection loses no item: the whole batch is applied again on a new one, where
        it finds what a COMMIT without reply did commit.
        """
        pause, began = 0.05, time.perf_counter()
        while batch:
            connection = connections[self._using]
            reached_commit = False
            try:
                with transaction.atomic(using=self._using, durable=True):
                    items = [submission.item for submission in batch]
                    applied = (apply or self.apply)(connection, items)
                    answers = list(zip(batch, applied, strict=True))
                    reached_commit = True
            except RepeatBatch:
                batch = self._without_expired(batch)
            except Exception as error:
                found = remedy(error) if _is_alive(connection) else Remedy.RECONNECT
                if found is Remedy.NONE:
                    self._find_poison(batch, error, apply)
                    return
                logger.warning("%s repeats its batch: %s", self.name, error)
                if found is Remedy.RECONNECT or reached_commit:
                    drop(connection)
                if reached_commit:
                    for submission in batch:
                        submission.in_doubt = True
                batch = self._without_expired(batch)
                if batch:
                    time.sleep(pause)
                    pause = min(pause * 2, 0.5)
            else:
                self.answer(answers)
                observe(BATCH_SIZE, self.name, value=len(batch))
                observe(BATCH_SECONDS, self.name, value=time.perf_counter() - began)
                if self._committed is not None:
                    self._committed([(each.item, answer) for each, answer in answers])
                return

    def _find_poison(
        self, batch: list[Submission[T, R]], error: Exception, apply: Apply | None
    ) -> None:
        """Apply the items one by one: the one that can't be applied hurts only itself."""
        if len(batch) == 1:
            logger.error("%s can't apply an item", self.name, exc_info=error)
            with self._lock:
                batch[0].give_up(error)
            return
        for submission in batch:
            self._commit(self._without_expired([submission]), apply)

    def _apply_patiently(self, submission: Submission[T, R]) -> None:
        """Apply an item of the patient lane alone, in its thread."""
        with self._traced([submission]):
            self._commit(self._without_expired([submission]), self._lane.patience.apply)

    def _traced(self, batch: list[Submission[T, R]]) -> AbstractContextManager[object]:
        """Make a span for a batch, with a link to each caller's: it works for all of them."""
        if not is_on() or self._traceparent is None:
            return nullcontext()
        links = [self._traceparent(submission.item) for submission in batch]
        return span(f"{self.name} batch", parent=ROOT, links=links, batch_items=len(batch))

    def _without_expired(self, batch: list[Submission[T, R]]) -> list[Submission[T, R]]:
        """Give up those whose deadline has passed; return the others."""
        now = time.monotonic()
        expired = [submission for submission in batch if submission.deadline <= now]
        self._give_up(expired, NotCommittedError, "not committed by its deadline")
        return [submission for submission in batch if submission.deadline > now]

    def answer(self, answers: Answers[T, R]) -> None:
        """Hand each submission its answer, right after the COMMIT; DEFER sends it to the lane."""
        with self._lock:
            for submission, answer in answers:
                if answer is DEFER:
                    self._lane.add(submission)
                elif isinstance(answer, BaseException):
                    submission.settle(error=answer)
                else:
                    submission.settle(result=answer)

    def _give_up(
        self, batch: list[Submission[T, R]], error: type[GroupCommitError], reason: str
    ) -> None:
        with self._lock:
            for submission in batch:
                submission.give_up(error(reason))


def _is_alive(connection: BaseDatabaseWrapper) -> bool:
    return connection.connection is not None and not connection.connection.closed
