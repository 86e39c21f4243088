"""One item in a committer's queue, the answer that its caller waits for, and how it can fail."""

import threading
import time
from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class GroupCommitError(Exception):
    """An item was not applied, or it isn't known whether it was."""


class NotTakenError(GroupCommitError):
    """Never applied: the queue was full, the committer stopped, or the deadline came first."""


class NotCommittedError(GroupCommitError):
    """Tried, and certainly not committed: no attempt got as far as COMMIT."""


class UnknownCommitError(GroupCommitError):
    """No answer in time, or a COMMIT's reply was lost: the item may or may not be there."""


class RepeatBatch(Exception):
    """Raised by `apply`: what it decided on has changed; roll back and apply the batch again."""


class Defer:
    """Returned by `apply` for an item that must wait for others: it goes to the patient lane."""


DEFER = Defer()


class State(Enum):
    WAITING = auto()
    TAKEN = auto()
    SETTLED = auto()


class Submission(Generic[T, R]):
    """One item and its caller, who waits in `result`.

    Its state changes under the committer's lock only.
    """

    __slots__ = (
        "_error",
        "_pending",
        "_result",
        "_withdraw",
        "deadline",
        "in_doubt",
        "item",
        "state",
    )

    def __init__(
        self, item: T, deadline: float, withdraw: "Callable[[Submission[T, R]], bool]"
    ) -> None:
        self.item = item
        self.deadline = deadline
        self.state = State.WAITING
        self.in_doubt = False  # a COMMIT with this item was sent and never answered
        self._withdraw = withdraw
        # Held until there is an answer. A bare lock, because each order makes and sets two: an
        # Event is a lock, a condition and a queue of waiters, where only one caller waits.
        self._pending = threading.Lock()
        self._pending.acquire()
        self._result: R | None = None
        self._error: BaseException | None = None

    def result(self, *, grace: float) -> R:
        """Wait until the deadline and return the answer.

        Past the deadline an item that was never taken is withdrawn (NotTakenError); one that
        is being applied gets `grace` more seconds, then UnknownCommitError.
        """
        if (
            not self._answered(within=self.deadline - time.monotonic())
            and not self._withdraw(self)
            and not self._answered(within=grace)
        ):
            raise UnknownCommitError("no answer from the database in time")
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]

    def settle(self, *, result: R | None = None, error: BaseException | None = None) -> None:
        """Answer the caller; the first answer counts."""
        if self.state is State.SETTLED:
            return
        self._result, self._error, self.state = result, error, State.SETTLED
        self._pending.release()

    def give_up(self, error: BaseException) -> None:
        """Settle without an answer of `apply`, which would have looked for what is there."""
        if self.in_doubt:
            error = UnknownCommitError("the connection was lost while committing")
        self.settle(error=error)

    def _answered(self, *, within: float) -> bool:
        answered = self._pending.acquire(timeout=max(0.0, within))
        if answered:
            self._pending.release()  # for whoever asks again
        return answered


def take(
    candidates: Iterable[Submission[T, R]],
) -> list[Submission[T, R]]:
    """Mark those that still wait as taken and return them; give up those whose time is over.

    The caller holds the committer's lock.
    """
    taken = []
    for submission in still_waiting(candidates):
        submission.state = State.TAKEN
        taken.append(submission)
    return taken


def still_waiting(
    candidates: Iterable[Submission[T, R]],
) -> list[Submission[T, R]]:
    """Return those that still wait; give up those whose time is over.

    The caller holds the committer's lock.
    """
    now = time.monotonic()
    waiting = []
    for submission in candidates:
        if submission.state is not State.WAITING:
            continue
        if submission.deadline <= now:
            submission.give_up(NotTakenError("the deadline has passed"))
            continue
        waiting.append(submission)
    return waiting
