"""A group committer's contract with its callers, also when its connection breaks.

The committers write into one small table, so that "applied" means "another connection sees it".
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from django.db import (
    DataError,
    IntegrityError,
    InternalError,
    OperationalError,
    connection,
    connections,
)
from django.db.backends.base.base import BaseDatabaseWrapper

from project.database.errors import Remedy
from project.group_commit import (
    DEFER,
    GroupCommitter,
    NotCommittedError,
    NotTakenError,
    RepeatBatch,
    UnknownCommitError,
)
from project.group_commit import committer as committer_module
from project.local.env import ROOT

# Only these tables are emptied after each test: all of the shop's would take a second.
pytestmark = pytest.mark.django_db(
    transaction=True, databases=["default", "writer"], available_apps=["project"]
)

GRACE = 20.0
START = Callable[..., GroupCommitter[str, str]]


@pytest.fixture
def table() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE committed (item text PRIMARY KEY)")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE committed")


@pytest.fixture
def start(table: None) -> Iterator[START]:
    """Call it to start a committer; all end with the test."""
    started: list[GroupCommitter[str, str]] = []

    def begin(apply: Any = None, **options: Any) -> GroupCommitter[str, str]:
        started.append(GroupCommitter(name="committer", apply=apply or insert, **options))
        return started[-1]

    yield begin
    for committer in started:
        assert committer.drain(timeout=20)


def insert(connection: BaseDatabaseWrapper, items: Sequence[str]) -> list[str]:
    """Write what isn't there yet; the answer says whether it was."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO committed SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING RETURNING item",
            [list(items)],
        )
        new = {row[0] for row in cursor.fetchall()}
    return ["new" if item in new else "found" for item in items]


def committed() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT item FROM committed")
        return {row[0] for row in cursor.fetchall()}


def soon(seconds: float = 20.0) -> float:
    return time.monotonic() + seconds


class Gate:
    """An `apply` that waits in its first batch until it is opened, and notes every batch."""

    def __init__(self, apply: Any = insert) -> None:
        self.batches: list[list[str]] = []
        self.entered, self.opened = threading.Event(), threading.Event()
        self._apply = apply

    def __call__(self, connection: BaseDatabaseWrapper, items: Sequence[str]) -> list[Any]:
        self.batches.append(list(items))
        self.entered.set()
        assert self.opened.wait(20)
        return self._apply(connection, items)


class Flaky:
    """An `apply` that does something else at its first calls."""

    def __init__(self, *first: Callable[..., Any]) -> None:
        self.calls = 0
        self._first = first

    def __call__(self, connection: BaseDatabaseWrapper, items: Sequence[str]) -> list[Any]:
        self.calls += 1
        if self.calls <= len(self._first):
            return self._first[self.calls - 1](connection, items)
        return insert(connection, items)


# ── Batches ─────────────────────────────────────────────────────────────────────────────────
def test_one_item_alone_is_a_batch_of_one(start: START) -> None:
    gate = Gate()
    gate.opened.set()
    committer = start(gate)

    answer = committer.submit("a", deadline=soon()).result(grace=GRACE)

    assert answer == "new"
    assert gate.batches == [["a"]]
    assert committed() == {"a"}


def test_a_batch_is_what_came_while_the_last_one_was_applied(start: START) -> None:
    gate = Gate()
    committer = start(gate, batch_size=3)
    submissions = [committer.submit("first", deadline=soon())]
    assert gate.entered.wait(20)

    submissions += [committer.submit(item, deadline=soon()) for item in "abcd"]
    gate.opened.set()

    assert [submission.result(grace=GRACE) for submission in submissions] == ["new"] * 5
    assert gate.batches == [["first"], ["a", "b", "c"], ["d"]]


def test_each_caller_gets_the_answer_of_its_own_item(start: START) -> None:
    def answer(connection: Any, items: Sequence[str]) -> list[Any]:
        return [ValueError(item) if item == "bad" else item.upper() for item in items]

    gate = Gate(answer)
    committer = start(gate)
    submissions = [committer.submit(item, deadline=soon()) for item in ("a", "bad", "b")]
    gate.opened.set()

    assert submissions[0].result(grace=GRACE) == "A"
    with pytest.raises(ValueError, match="bad"):
        submissions[1].result(grace=GRACE)
    assert submissions[2].result(grace=GRACE) == "B"


# ── Deadlines ───────────────────────────────────────────────────────────────────────────────
def test_an_item_that_still_waits_at_its_deadline_is_never_applied(start: START) -> None:
    gate = Gate()
    committer = start(gate)
    committer.submit("first", deadline=soon())
    assert gate.entered.wait(20)
    late = committer.submit("late", deadline=soon(0.2))
    started = time.monotonic()

    with pytest.raises(NotTakenError):
        late.result(grace=GRACE)

    assert time.monotonic() - started < 10.0, "it must not wait for the grace"
    gate.opened.set()
    committer.submit("next", deadline=soon()).result(grace=GRACE)
    assert committed() == {"first", "next"}


def test_a_deadline_that_passed_while_nobody_looked_is_respected(start: START) -> None:
    gate = Gate()
    committer = start(gate)
    committer.submit("first", deadline=soon())
    assert gate.entered.wait(20)
    late = committer.submit("late", deadline=soon(0.05))
    wait_until(lambda: time.monotonic() > late.deadline)

    gate.opened.set()

    committer.submit("next", deadline=soon()).result(grace=GRACE)
    with pytest.raises(NotTakenError):
        late.result(grace=GRACE)
    assert committed() == {"first", "next"}


def test_an_item_that_is_being_applied_gets_the_grace_then_nobody_knows(start: START) -> None:
    gate = Gate()
    committer = start(gate)
    slow = committer.submit("slow", deadline=soon(0.1))
    assert gate.entered.wait(20)
    started = time.monotonic()

    with pytest.raises(UnknownCommitError):
        slow.result(grace=0.4)

    assert 0.4 <= time.monotonic() - started < 10.0
    gate.opened.set()
    wait_until(lambda: committed() == {"slow"})


def test_an_item_whose_answer_comes_within_the_grace_is_answered(start: START) -> None:
    gate = Gate()
    committer = start(gate)
    slow = committer.submit("slow", deadline=soon(0.1))
    assert gate.entered.wait(20)
    threading.Timer(0.3, gate.opened.set).start()

    assert slow.result(grace=GRACE) == "new"


def test_an_item_can_be_withdrawn_while_it_waits_but_not_later(start: START) -> None:
    gate = Gate()
    committer = start(gate)
    taken = committer.submit("taken", deadline=soon())
    assert gate.entered.wait(20)
    waiting = committer.submit("waiting", deadline=soon())

    assert committer.withdraw(waiting)
    assert not committer.withdraw(taken)

    gate.opened.set()
    assert taken.result(grace=GRACE) == "new"
    assert committer.drain(timeout=20)
    assert committed() == {"taken"}


def test_a_full_queue_takes_nothing_more(start: START) -> None:
    gate = Gate()
    committer = start(gate, queue_size=2)
    committer.submit("first", deadline=soon())
    assert gate.entered.wait(20)
    waiting = [committer.submit(item, deadline=soon()) for item in "ab"]

    with pytest.raises(NotTakenError, match="full"):
        committer.submit("c", deadline=soon())

    gate.opened.set()
    assert [submission.result(grace=GRACE) for submission in waiting] == ["new", "new"]


# ── The end ─────────────────────────────────────────────────────────────────────────────────
def test_drain_finishes_what_waits_and_refuses_what_comes_later(start: START) -> None:
    gate = Gate()
    committer = start(gate, batch_size=1)
    waiting = [committer.submit(item, deadline=soon()) for item in "abc"]
    assert gate.entered.wait(20)

    threading.Timer(0.1, gate.opened.set).start()
    assert committer.drain(timeout=20)

    assert [submission.result(grace=0) for submission in waiting] == ["new"] * 3
    with pytest.raises(NotTakenError, match="stopping"):
        committer.submit("d", deadline=soon())


def test_drain_says_when_something_was_not_finished_in_time(start: START) -> None:
    gate = Gate()
    committer = start(gate)
    committer.submit("stuck", deadline=soon())
    assert gate.entered.wait(20)

    assert not committer.drain(timeout=0.1)

    gate.opened.set()


def test_drained_committers_leave_no_connection_behind(start: START) -> None:
    committer = start(lambda connection, items: [backend(connection)])
    pid = committer.submit("a", deadline=soon()).result(grace=GRACE)
    assert is_alive(int(pid))

    assert committer.drain(timeout=20)

    wait_until(lambda: not is_alive(int(pid)))


# ── Lost connections ────────────────────────────────────────────────────────────────────────
def test_a_batch_whose_connection_is_cut_is_applied_again_on_a_new_one(start: START) -> None:
    pids: list[int] = []

    def apply(connection: BaseDatabaseWrapper, items: Sequence[str]) -> list[str]:
        answers = insert(connection, items)
        pids.append(backend(connection))
        if len(pids) == 1:
            cut_backend(pids[0])  # after the writes, before COMMIT
            insert(connection, ["never"])
        return answers

    committer = start(apply)

    assert committer.submit("a", deadline=soon()).result(grace=GRACE) == "new"

    assert len(set(pids)) == 2
    assert committed() == {"a"}


def test_a_connection_cut_between_two_batches_costs_nobody_an_answer(start: START) -> None:
    def apply(connection: BaseDatabaseWrapper, items: Sequence[str]) -> list[str]:
        insert(connection, items)
        return [str(backend(connection))] * len(items)

    committer = start(apply)
    first = committer.submit("a", deadline=soon()).result(grace=GRACE)
    cut_backend(int(first))
    wait_until(lambda: not is_alive(int(first)))

    second = committer.submit("b", deadline=soon()).result(grace=GRACE)

    assert second != first
    assert committed() == {"a", "b"}


def test_a_database_that_stays_away_is_told_as_not_committed_at_the_deadline(
    start: START,
) -> None:
    def refuse(connection: Any, items: Sequence[str]) -> list[str]:
        raise OperationalError("the server is away")

    committer = start(refuse)
    submission = committer.submit("a", deadline=soon(0.5))
    started = time.monotonic()

    with pytest.raises(NotCommittedError):
        submission.result(grace=GRACE)

    assert time.monotonic() - started < 10.0
    assert committed() == set()


def read_only(connection: BaseDatabaseWrapper, items: Sequence[str]) -> list[str]:
    """Meet a server that became a standby: the whole session can't write any more."""
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
        cursor.execute("SET transaction_read_only = on")
    return insert(connection, items)


def frozen(connection: BaseDatabaseWrapper, items: Sequence[str]) -> list[str]:
    """Stand still in the transaction until the server ends the session."""
    with connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = '50ms'")
        pid = connection.connection.info.backend_pid
    insert(connection, items)
    wait_until(lambda: not is_alive(pid))
    connections["default"].close()  # this thread's, which nobody else closes
    return insert(connection, items)


def raising(state: str) -> Callable[..., Any]:
    """Have the server raise this SQLSTATE."""

    def apply(connection: BaseDatabaseWrapper, items: Sequence[str]) -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$")
        return []

    return apply


FAULTS = {
    "read-only": read_only,
    "idle in transaction": frozen,
    **{
        state: raising(state)
        for state in ("25P03", "57P01", "57P02", "57P03", "57P05", "08006", "53300")
    },
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_server_that_cannot_be_used_is_left_and_the_batch_repeated(
    start: START, fault: str
) -> None:
    pids: list[int] = []

    def apply(connection: BaseDatabaseWrapper, items: Sequence[str]) -> list[str]:
        pids.append(backend(connection))
        return (FAULTS[fault] if len(pids) <= 2 else insert)(connection, items)

    assert start(apply).submit("a", deadline=soon()).result(grace=GRACE) == "new"

    assert len(set(pids)) == 3  # each attempt on a connection of its own
    assert committed() == {"a"}


@pytest.mark.parametrize("fault", ["read-only", "25P03"])
def test_control_by_the_class_of_the_error_it_is_taken_for_poison(
    start: START, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    def by_class(error: BaseException) -> Remedy:
        return Remedy.RECONNECT if isinstance(error, OperationalError) else Remedy.NONE

    monkeypatch.setattr(committer_module, "remedy", by_class)

    with pytest.raises(InternalError):
        start(Flaky(FAULTS[fault])).submit("a", deadline=soon()).result(grace=GRACE)


def test_a_server_that_stays_read_only_is_told_as_not_committed(start: START) -> None:
    submission = start(read_only).submit("a", deadline=soon(0.5))

    with pytest.raises(NotCommittedError):
        submission.result(grace=GRACE)

    assert committed() == set()


class LostReplies:
    """Cuts the writers' connections at their next COMMITs, after or before these are done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = 0
        self.done_before = True
        real = BaseDatabaseWrapper.commit

        def commit(wrapper: BaseDatabaseWrapper) -> None:
            if wrapper.alias != "writer" or not self.left:
                real(wrapper)
                return
            self.left -= 1
            if self.done_before:
                real(wrapper)
            cut_backend(wrapper.connection.info.backend_pid)
            with wrapper.wrap_database_errors:
                wrapper.connection.execute("SELECT 1")  # fails, as reading the reply would

        monkeypatch.setattr(BaseDatabaseWrapper, "commit", commit)

    def lose(self, number: int, *, done_before: bool) -> None:
        self.left, self.done_before = number, done_before


@pytest.fixture
def replies(monkeypatch: pytest.MonkeyPatch) -> LostReplies:
    return LostReplies(monkeypatch)


def test_an_item_whose_commit_reply_was_lost_is_found_by_the_next_attempt(
    start: START, replies: LostReplies
) -> None:
    replies.lose(1, done_before=True)

    assert start().submit("a", deadline=soon()).result(grace=GRACE) == "found"

    assert committed() == {"a"}


def test_an_item_whose_commit_did_not_arrive_is_written_by_the_next_attempt(
    start: START, replies: LostReplies
) -> None:
    replies.lose(1, done_before=False)

    assert start().submit("a", deadline=soon()).result(grace=GRACE) == "new"

    assert committed() == {"a"}


@pytest.mark.parametrize("done_before", [True, False])
def test_lost_commit_replies_until_the_deadline_leave_the_outcome_unknown(
    start: START, replies: LostReplies, done_before: bool
) -> None:
    replies.lose(1000, done_before=done_before)

    with pytest.raises(UnknownCommitError):
        start().submit("a", deadline=soon(0.4)).result(grace=GRACE)

    assert committed() == ({"a"} if done_before else set())


def test_after_a_lost_commit_reply_no_later_failure_counts_as_not_committed(
    start: START, replies: LostReplies
) -> None:
    """Each of them alone would: the COMMIT in doubt may still arrive after them."""

    def away(connection: Any, items: Sequence[str]) -> list[str]:
        raise OperationalError("the server is away")

    def poisonous(connection: Any, items: Sequence[str]) -> list[str]:
        raise IntegrityError("no")

    def deferred(connection: Any, items: Sequence[str]) -> list[Any]:
        return [DEFER] * len(items)

    for number, later in enumerate((away, poisonous, deferred)):
        replies.lose(1, done_before=False)
        committer = start(Flaky(insert, *[later] * 1000))

        with pytest.raises(UnknownCommitError):
            committer.submit(f"item {number}", deadline=soon(0.4)).result(grace=GRACE)


def test_a_refusal_found_after_a_lost_commit_reply_is_an_answer(
    start: START, replies: LostReplies
) -> None:
    def refuse(connection: Any, items: Sequence[str]) -> list[Any]:
        return [ValueError("sold out")] * len(items)

    replies.lose(1, done_before=False)
    committer = start(Flaky(insert, refuse))

    with pytest.raises(ValueError, match="sold out"):
        committer.submit("a", deadline=soon()).result(grace=GRACE)


# ── Poison ──────────────────────────────────────────────────────────────────────────────────
def test_a_poisonous_item_hurts_only_itself(start: START) -> None:
    def insert_or_choke(connection: BaseDatabaseWrapper, items: Sequence[str]) -> list[str]:
        return insert(connection, [item.replace("poison", "\x00") for item in items])

    gate = Gate(insert_or_choke)
    committer = start(gate)
    committer.submit("first", deadline=soon())
    assert gate.entered.wait(20)
    submissions = {item: committer.submit(item, deadline=soon()) for item in ("a", "poison", "b")}
    gate.opened.set()

    assert submissions["a"].result(grace=GRACE) == "new"
    with pytest.raises(DataError):
        submissions["poison"].result(grace=GRACE)
    assert submissions["b"].result(grace=GRACE) == "new"
    assert gate.batches == [["first"], ["a", "poison", "b"], ["a"], ["poison"], ["b"]]
    assert committed() == {"first", "a", "b"}


def test_a_constraint_that_fails_at_commit_hurts_only_its_item(start: START) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO committed VALUES ('root')")
        cursor.execute(
            "ALTER TABLE committed ADD parent text DEFAULT 'root',"
            " ADD FOREIGN KEY (parent) REFERENCES committed DEFERRABLE INITIALLY DEFERRED"
        )

    def insert_child(connection: BaseDatabaseWrapper, items: Sequence[str]) -> list[str]:
        answers = insert(connection, items)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE committed SET parent = 'nobody' WHERE item = 'orphan'")
        return answers

    gate = Gate(insert_child)
    committer = start(gate)
    committer.submit("first", deadline=soon())
    assert gate.entered.wait(20)
    orphan, good = (committer.submit(item, deadline=soon()) for item in ("orphan", "good"))
    gate.opened.set()

    with pytest.raises(IntegrityError):
        orphan.result(grace=GRACE)

    assert good.result(grace=GRACE) == "new"
    assert committed() == {"root", "first", "good"}


@pytest.mark.parametrize("answers", [[], ["one", "too many"]])
def test_a_wrong_number_of_answers_commits_nothing(start: START, answers: list[str]) -> None:
    def apply(connection: BaseDatabaseWrapper, items: Sequence[str]) -> list[str]:
        insert(connection, items)
        return answers

    submission = start(apply).submit("a", deadline=soon())

    with pytest.raises(ValueError, match="zip"):
        submission.result(grace=GRACE)

    assert committed() == set()


def test_a_fault_of_the_committer_itself_does_not_end_it(
    start: START, monkeypatch: pytest.MonkeyPatch
) -> None:
    committer = start()
    with monkeypatch.context() as broken:
        broken.setattr(committer, "answer", None)

        with pytest.raises(UnknownCommitError):
            committer.submit("a", deadline=soon()).result(grace=GRACE)

    assert committer.submit("b", deadline=soon()).result(grace=GRACE) == "new"


# ── Items that can't be decided now ─────────────────────────────────────────────────────────
class Locked:
    """An `apply` that defers the items in `locked`, as a writer does for a locked product."""

    def __init__(self, *locked: str) -> None:
        self.locked = set(locked)

    def __call__(self, connection: BaseDatabaseWrapper, items: Sequence[str]) -> list[Any]:
        locked = set(self.locked)  # a test may clear it meanwhile
        free = insert(connection, [item for item in items if item not in locked])
        answers = iter(free)
        return [DEFER if item in locked else next(answers) for item in items]


def test_a_deferred_item_waits_without_stopping_others_and_is_done_when_free(
    start: START,
) -> None:
    apply = Locked("stuck")
    committer = start(apply)
    stuck = committer.submit("stuck", deadline=soon())

    assert committer.submit("free", deadline=soon()).result(grace=GRACE) == "new"
    assert committed() == {"free"}
    apply.locked.clear()

    assert stuck.result(grace=GRACE) == "new"
    assert committed() == {"free", "stuck"}


def test_a_deferred_item_is_not_taken_after_its_deadline(start: START) -> None:
    apply = Locked("stuck")
    committer = start(apply)
    stuck = committer.submit("stuck", deadline=soon(0.2))
    started = time.monotonic()

    with pytest.raises(NotTakenError):
        stuck.result(grace=GRACE)

    assert time.monotonic() - started < 10.0
    apply.locked.clear()
    committer.submit("free", deadline=soon()).result(grace=GRACE)
    assert committed() == {"free"}


def test_at_most_so_many_items_wait_for_something_locked(start: START) -> None:
    apply = Locked("a", "b", "c")
    gate = Gate(apply)
    committer = start(gate, max_stuck=2)
    submissions = [committer.submit("first", deadline=soon())]
    assert gate.entered.wait(20)
    submissions = [committer.submit(item, deadline=soon()) for item in "abc"]

    gate.opened.set()

    with pytest.raises(NotTakenError, match="too many"):
        submissions[2].result(grace=GRACE)
    apply.locked.clear()
    assert [submission.result(grace=GRACE) for submission in submissions[:2]] == ["new", "new"]


def test_drain_waits_for_deferred_items(start: START) -> None:
    apply = Locked("stuck")
    committer = start(apply)
    stuck = committer.submit("stuck", deadline=soon())
    threading.Timer(0.2, apply.locked.clear).start()

    assert committer.drain(timeout=20)

    assert stuck.result(grace=0) == "new"


class Turns:
    """A patience whose turn comes when the test says so."""

    def __init__(self, apply: Any) -> None:
        self.came, self.stuck = threading.Event(), False
        self.apply = apply
        self.deferred = 0

    def wait(self, connection: BaseDatabaseWrapper, items: Sequence[str]) -> None:
        if not self.came.wait(0.05):
            raise RepeatBatch

    def is_waiting(self) -> bool:
        return False

    def is_stuck(self, item: str) -> bool:
        return self.stuck

    def report(self, *, deferred: int, last: bool = False) -> None:
        self.deferred += deferred


def defer(connection: BaseDatabaseWrapper, items: Sequence[str]) -> list[Any]:
    return [DEFER if item.startswith("stuck") else insert(connection, [item])[0] for item in items]


def test_deferred_items_are_applied_together_when_their_turn_comes(start: START) -> None:
    alone = Gate()
    alone.opened.set()
    turns = Turns(alone)
    committer = start(defer, patience=turns, max_stuck=0)
    stuck = [committer.submit(f"stuck {number}", deadline=soon()) for number in range(30)]
    assert committer.submit("free", deadline=soon()).result(grace=GRACE) == "new"
    wait_until(lambda: turns.deferred == 30)

    turns.came.set()

    assert [submission.result(grace=GRACE) for submission in stuck] == ["new"] * 30
    assert [sorted(batch) for batch in alone.batches] == [sorted(s.item for s in stuck)]


def test_a_deferred_item_can_be_withdrawn_while_its_turn_is_waited_for(start: START) -> None:
    turns = Turns(insert)
    committer = start(defer, patience=turns)
    stuck = committer.submit("stuck", deadline=soon())
    wait_until(lambda: turns.deferred == 1)

    assert committer.withdraw(stuck)

    turns.came.set()
    assert committer.drain(timeout=20)
    assert committed() == set()


def test_items_that_turn_out_to_be_stuck_are_given_up_but_for_a_few(start: START) -> None:
    turns = Turns(insert)
    committer = start(defer, patience=turns, max_stuck=2)
    stuck = [committer.submit(f"stuck {number}", deadline=soon()) for number in range(4)]
    wait_until(lambda: turns.deferred == 4)

    turns.stuck = True

    for submission in stuck[2:]:
        with pytest.raises(NotTakenError, match="too many"):
            submission.result(grace=GRACE)
    turns.came.set()
    assert [submission.result(grace=GRACE) for submission in stuck[:2]] == ["new", "new"]


def test_items_of_one_key_never_overtake_each_other(start: START) -> None:
    turns = Turns(Gate())
    committer = start(defer, patience=turns, key=lambda item: item.split()[-1])
    first = committer.submit("stuck a", deadline=soon())
    wait_until(lambda: turns.deferred == 1)
    turns.came.set()
    assert turns.apply.entered.wait(20)  # the first is being applied now

    second = committer.submit("later a", deadline=soon())
    assert committer.submit("later b", deadline=soon()).result(grace=GRACE) == "new"

    assert committed() == {"later b"}
    turns.apply.opened.set()
    assert [s.result(grace=GRACE) for s in (first, second)] == ["new", "new"]
    assert turns.apply.batches == [["stuck a"], ["later a"]]


def test_control_without_a_key_the_later_item_overtakes(start: START) -> None:
    turns = Turns(insert)
    committer = start(defer, patience=turns)
    committer.submit("stuck a", deadline=soon(1.0))
    wait_until(lambda: turns.deferred == 1)

    committer.submit("later a", deadline=soon()).result(grace=GRACE)

    assert committed() == {"later a"}


@pytest.mark.parametrize("fault", ["read-only", "idle in transaction", "57P01"])
def test_the_patient_lane_leaves_a_server_that_cannot_be_used(start: START, fault: str) -> None:
    turns = Turns(Flaky(FAULTS[fault], FAULTS[fault]))
    turns.came.set()

    stuck = start(defer, patience=turns).submit("stuck", deadline=soon())

    assert stuck.result(grace=GRACE) == "new"
    assert committed() == {"stuck"}


def test_a_poisonous_item_of_the_patient_lane_hurts_only_itself(start: START) -> None:
    def insert_or_choke(connection: BaseDatabaseWrapper, items: Sequence[str]) -> list[str]:
        return insert(connection, [item.replace("poison", "\x00") for item in items])

    turns = Turns(insert_or_choke)
    committer = start(defer, patience=turns)
    stuck = [committer.submit(f"stuck {item}", deadline=soon()) for item in ("a", "poison", "b")]
    wait_until(lambda: turns.deferred == 3)
    turns.came.set()

    assert stuck[0].result(grace=GRACE) == "new"
    with pytest.raises(DataError):
        stuck[1].result(grace=GRACE)
    assert stuck[2].result(grace=GRACE) == "new"


def test_a_fault_in_the_patience_does_not_end_the_lane(start: START) -> None:
    turns = Turns(Flaky(lambda connection, items: 1 / 0, lambda connection, items: 1 / 0))
    turns.came.set()
    committer = start(defer, patience=turns)

    with pytest.raises(ZeroDivisionError):
        committer.submit("stuck a", deadline=soon()).result(grace=GRACE)

    assert committer.submit("stuck b", deadline=soon()).result(grace=GRACE) == "new"


@pytest.mark.parametrize("done_before", [True, False])
def test_a_lost_commit_reply_in_the_patient_lane_is_found_out(
    start: START, replies: LostReplies, done_before: bool
) -> None:
    turns = Turns(insert)
    committer = start(defer, patience=turns)
    stuck = committer.submit("stuck", deadline=soon())
    wait_until(lambda: turns.deferred == 1)
    replies.lose(1, done_before=done_before)
    turns.came.set()

    assert stuck.result(grace=GRACE) == ("found" if done_before else "new")


# ── Batches that must be repeated ───────────────────────────────────────────────────────────
def repeat(connection: BaseDatabaseWrapper, items: Sequence[str]) -> list[str]:
    insert(connection, items)
    raise RepeatBatch


def test_a_repeated_batch_is_rolled_back_and_applied_again(start: START) -> None:
    apply = Flaky(repeat, repeat)

    assert start(apply).submit("a", deadline=soon()).result(grace=GRACE) == "new"

    assert apply.calls == 3
    assert committed() == {"a"}


def test_a_batch_that_is_always_to_be_repeated_ends_at_its_deadlines(start: START) -> None:
    committer = start(repeat)
    gate_closed = [committer.submit(item, deadline=soon(0.3)) for item in "ab"]
    started = time.monotonic()

    for submission in gate_closed:
        with pytest.raises(NotCommittedError):
            submission.result(grace=GRACE)

    assert time.monotonic() - started < 10.0
    assert committed() == set()


# ── Forks ───────────────────────────────────────────────────────────────────────────────────
FORK = """
import os, sys, threading
import django
django.setup()
from orders.placing import writers as module

def fork(parents):
    pid = os.fork()
    if pid == 0:
        children = module.writers()
        ok = children is not parents and children.stock.is_alive()
        os._exit(0 if ok and module.drain(timeout=20) else 1)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, status

parents = module.writers()
fork(parents)
assert module.writers() is parents and parents.stock.is_alive()
assert module.drain(timeout=20)

# And while another thread is just starting them.
starting, go_on = threading.Event(), threading.Event()
StockWriter = module.StockWriter

class SlowStockWriter(StockWriter):
    def __init__(self):
        super().__init__()
        if threading.current_thread() is slow:
            starting.set()
            go_on.wait(20)

module.StockWriter = SlowStockWriter
slow = threading.Thread(target=module.writers)
slow.start()
assert starting.wait(20)
fork(None)
go_on.set()
slow.join()
assert module.drain(timeout=20)
"""


def test_a_forked_process_starts_writers_of_its_own() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORK],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "project.settings"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == 0, done.stderr


# ── Helpers ─────────────────────────────────────────────────────────────────────────────────
def wait_until(condition: Callable[[], bool], *, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.01)


def backend(connection: BaseDatabaseWrapper) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def is_alive(pid: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", [pid])
        return cursor.fetchone()[0] > 0


def cut_backend(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    connection.close()  # cut_backend is called in the committer's thread too
