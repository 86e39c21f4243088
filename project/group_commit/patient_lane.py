"""The patient lane: where items queue for what others hold, beside the committer's own thread.

The items can be withdrawn while the lane waits: it takes them only once it has what it waited
for. Its thread and connection exist while there is something to wait for, and some seconds more.
"""

import logging
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from project.database.errors import drop, is_passing
from project.group_commit.submission import (
    DEFER,
    NotTakenError,
    RepeatBatch,
    State,
    Submission,
    UnknownCommitError,
    still_waiting,
    take,
)

logger = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")

Answers = Sequence[tuple[Submission[T, R], Any]]

IDLE_SECONDS = 10
"""So long the thread stays when nothing waits: trouble seldom comes alone."""
PAUSE = 0.1
"""Seconds between two attempts while the database can't be used."""


class Patience(Protocol):
    """How the lane waits for what its items need. Called by its thread, one call at a time."""

    def wait(self, connection: BaseDatabaseWrapper, items: Sequence[Any]) -> None:
        """Wait, in an open transaction, until one thing that some of the items need is ours.

        Nothing else may be held meanwhile: that would make the others wait, or close a circle.
        Without items, anything that could not be had before. Raises RepeatBatch where it can't
        be had for now.
        """

    def apply(self, connection: BaseDatabaseWrapper, items: Sequence[Any]) -> Sequence[Any]:
        """Apply the items in the transaction of `wait`, as the committer's `apply`, but without
        waiting for anything more: what isn't free is answered DEFER.
        """

    def is_waiting(self) -> bool:
        """Tell whether something is still not to be had: the lane tries on without items, so
        that the next one finds it free.
        """

    def is_stuck(self, item: Any) -> bool:
        """Tell whether it may be long until the item's turn: only a few may wait like that."""

    def report(self, *, deferred: int, last: bool = False) -> None:
        """Note that so many items came into the lane since the last call.

        Called outside a transaction, at least once a second while the lane's thread is there,
        and a `last` time when it ends.
        """


class RetryPatience:
    """For a committer whose items say DEFER without more: they are tried again and again."""

    def __init__(
        self, apply: Callable[[BaseDatabaseWrapper, Sequence[Any]], Sequence[Any]]
    ) -> None:
        self._apply = apply

    def wait(self, connection: BaseDatabaseWrapper, items: Sequence[Any]) -> None:
        time.sleep(0.02)

    def apply(self, connection: BaseDatabaseWrapper, items: Sequence[Any]) -> Sequence[Any]:
        return self._apply(connection, items)

    def is_waiting(self) -> bool:
        return False

    def is_stuck(self, item: Any) -> bool:
        return True

    def report(self, *, deferred: int, last: bool = False) -> None:
        pass


class PatientLane(Generic[T, R]):
    """The items that wait, and the thread that waits for them.

    `lock` is the committer's; `answer` and `apply_alone` are its ways of ending an item.
    """

    def __init__(
        self,
        *,
        name: str,
        patience: Patience,
        using: str,
        lock: threading.Lock,
        batch_size: int,
        max_stuck: int,
        answer: Callable[[Answers[T, R]], None],
        apply_alone: Callable[[Submission[T, R]], None],
    ) -> None:
        self.patience = patience
        self._name = name
        self._using = using
        self._lock = lock
        self._changed = threading.Condition(lock)
        self._batch_size = batch_size
        self._max_stuck = max_stuck
        self._answer = answer
        self._apply_alone = apply_alone
        self._waiting: list[Submission[T, R]] = []
        self._taken: list[Submission[T, R]] = []
        self._deferred = 0
        self._closing = False
        self._running = False
        self._idle_from = 0.0
        self._thread: threading.Thread | None = None

    # ── called with the lock held ───────────────────────────────────────────────────────────
    def add(self, submission: Submission[T, R]) -> None:
        """Let the item wait; give it up where too many are stuck already."""
        submission.state = State.WAITING
        self._waiting.append(submission)
        self._deferred += 1
        if not self._running:
            self._running = True
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        self._give_up_excess()
        self._changed.notify()

    def put_back(self, submissions: Sequence[Submission[T, R]]) -> None:
        """Let these wait again, before those that came later."""
        for submission in submissions:
            submission.state = State.WAITING
        self._waiting[:0] = submissions

    def keys(self, key: Callable[[T], Hashable]) -> set[Hashable]:
        """Return the keys of the items that wait here or are being applied."""
        return {
            key(submission.item)
            for submission in (*self._waiting, *self._taken)
            if submission.state is not State.SETTLED
        }

    def close(self) -> None:
        """End the thread as soon as nothing waits: nothing more comes."""
        self._closing = True
        self._changed.notify()

    # ── the end ─────────────────────────────────────────────────────────────────────────────
    def join(self, timeout: float) -> bool:
        """Wait for the thread's end; True if there is none any more."""
        if self._thread is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    # ── the thread ──────────────────────────────────────────────────────────────────────────
    def _run(self) -> None:
        try:
            while self._await_items():
                try:
                    self._take_turn()
                except Exception:
                    # All who wait here wait for this thread: a fault of ours must not end it.
                    logger.exception("%s failed", self._name)
                    self._give_up_taken()
                    time.sleep(PAUSE)
            self.patience.report(deferred=0, last=True)
        finally:
            connections[self._using].close()

    def _await_items(self) -> bool:
        """Return True when a turn is to be taken; False when the thread is to end."""
        while True:
            with self._lock:
                self._waiting = still_waiting(self._waiting)
                self._give_up_excess()
                deferred, self._deferred = self._deferred, 0
                if self._waiting or deferred:
                    self._idle_from = time.monotonic()
                elif self._closing or time.monotonic() > self._idle_from + IDLE_SECONDS:
                    self._running = False
                    return False
                ready = bool(self._waiting) or self.patience.is_waiting()
                if not ready and not deferred:
                    self._changed.wait(1.0)
            self.patience.report(deferred=deferred)
            if ready:
                return True

    def _take_turn(self) -> None:
        """Wait for what some items need, then apply all that wait here by then."""
        connection = connections[self._using]
        with self._lock:
            items = [submission.item for submission in self._waiting]
        self._taken = []
        reached_commit = False
        answers: Answers[T, R] = []
        try:
            with transaction.atomic(using=self._using, durable=True):
                self.patience.wait(connection, items)
                with self._lock:
                    self._taken = take(self._waiting[: self._batch_size])
                    self._waiting = self._waiting[self._batch_size :]
                if self._taken:
                    applied = self.patience.apply(
                        connection, [submission.item for submission in self._taken]
                    )
                    answers = list(zip(self._taken, applied, strict=True))
                reached_commit = True
        except Exception as error:
            self._recover(connection, error, reached_commit=reached_commit)
        else:
            self._answer([pair for pair in answers if pair[1] is not DEFER])
            with self._lock:
                self.put_back([submission for submission, answer in answers if answer is DEFER])
        self._taken = []

    def _recover(
        self, connection: BaseDatabaseWrapper, error: Exception, *, reached_commit: bool
    ) -> None:
        """Roll-back is done: let the items wait again, or find out which of them is poison."""
        if isinstance(error, RepeatBatch):
            with self._lock:
                self.put_back(self._taken)
        elif is_passing(error) or connection.connection is None or connection.connection.closed:
            logger.warning("%s waits again: %s", self._name, error)
            drop(connection)
            with self._lock:
                for submission in self._taken:
                    submission.in_doubt = submission.in_doubt or reached_commit
                self.put_back(self._taken)
            time.sleep(PAUSE)
        elif self._taken:
            for submission in self._taken:
                self._apply_alone(submission)
        else:
            raise error

    def _give_up_taken(self) -> None:
        with self._lock:
            for submission in self._taken:
                submission.give_up(UnknownCommitError("the patient lane failed"))
        self._taken = []

    def _give_up_excess(self) -> None:
        """Give up the last of those that are stuck, but for the few that may be."""
        stuck = [
            submission
            for submission in self._waiting
            if submission.state is State.WAITING and self.patience.is_stuck(submission.item)
        ]
        for submission in stuck[self._max_stuck :]:
            submission.give_up(NotTakenError("too many wait for a locked row"))
