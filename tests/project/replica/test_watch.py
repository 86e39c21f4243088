"""How far the replica is, by what both servers say at each look."""

from collections.abc import Callable

import pytest
from django.db import OperationalError

from project.replica.watch import AWAY, BEHIND, OWN_WRITE, UNKNOWN, Watch


class Servers:
    """A primary and its standby at a time that the test sets."""

    def __init__(self) -> None:
        self.now, self.written, self.replayed = 1000.0, 500, 500
        self.is_away = False

    def answer(self) -> int:
        if self.is_away:
            raise OperationalError("connection refused")
        return self.replayed

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> Watch:
        watch = Watch(written=lambda: self.written, replayed=self.answer, clock=lambda: self.now)
        monkeypatch.setattr(watch, "_start", lambda: None)  # the test looks by itself
        return watch


@pytest.fixture
def servers() -> Servers:
    return Servers()


@pytest.fixture
def look(servers: Servers, monkeypatch: pytest.MonkeyPatch, settings) -> Callable[..., str]:
    """Let time pass, look, and return the reason against the replica."""
    settings.REPLICA_LAG_SECONDS = 10
    watch = servers.watch(monkeypatch)

    def look(*, after: float = 1.0, written: int = 0) -> str:
        servers.now += after
        watch.look()
        return watch.reason_against(written=written)

    look.watch = watch
    return look


def test_before_the_first_look_the_primary_answers(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert servers.watch(monkeypatch).reason_against(written=0) == UNKNOWN


def test_a_replica_that_has_all_answers(look: Callable[..., str]) -> None:
    assert look() == ""


def test_it_answers_no_reader_who_has_written_what_it_lacks(look: Callable[..., str]) -> None:
    assert look(written=501) == OWN_WRITE
    assert look(written=500) == ""


def test_a_primary_that_writes_nothing_for_an_hour_is_no_lag(look: Callable[..., str]) -> None:
    assert look() == ""
    assert look(after=3600) == ""


def test_a_replica_that_stands_still_answers_until_it_is_too_far_behind(
    servers: Servers, look: Callable[..., str]
) -> None:
    assert look() == ""
    servers.written = 900
    assert [look() for _second in range(10)] == [""] * 10
    assert look() == BEHIND

    servers.replayed = 900
    assert look() == ""


def test_at_the_first_look_a_replica_that_lacks_something_may_lack_anything(
    servers: Servers, look: Callable[..., str]
) -> None:
    servers.written = 501

    assert look() == BEHIND


def test_a_replica_that_is_away_is_left_out_and_back_when_it_answers(
    servers: Servers, look: Callable[..., str]
) -> None:
    look()
    servers.is_away = True
    assert look() == AWAY

    servers.is_away = False
    assert look() == ""


def test_a_new_primary_that_lacks_the_end_of_the_old_log_is_measured_anew(
    servers: Servers, look: Callable[..., str]
) -> None:
    look()
    servers.written = servers.replayed = 400

    assert look() == ""


def test_an_old_look_says_nothing(servers: Servers, look: Callable[..., str]) -> None:
    look()
    servers.now += 6

    assert look.watch.reason_against(written=0) == UNKNOWN
