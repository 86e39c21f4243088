"""Counting against limits: all or nothing, exact under load, without deadlocks."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from project.limits import counters
from project.limits.counters import Count, LimitReachedError, give_back, take
from project.limits.pruning import forget_ended_counters
from project.limits.rates import UNLIMITED, Rate
from project.models import Limit, LimitCounter
from tests.live import wait_until

CLIENTS = 60
TEN = Rate(10, 3600)
ADDRESS, EMAIL = "order:address", "order:email"


def used(name: str, key: str) -> int:
    return LimitCounter.objects.get(name=name, key=key).used


def end_windows() -> None:
    LimitCounter.objects.update(ends_at=timezone.now() - timedelta(seconds=1))


def passed(attempt: Callable[[int], object], *, clients: int = CLIENTS) -> int:
    """Make all attempts at once; return how many passed."""

    def make(number: int) -> bool:
        try:
            attempt(number)
        except LimitReachedError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(clients) as pool:
        return sum(pool.map(make, range(clients)))


@pytest.mark.django_db
def test_so_many_pass_and_the_next_is_told_when_to_come_again() -> None:
    for _number in range(10):
        take([Count(EMAIL, "ada@example.org", TEN)])

    with pytest.raises(LimitReachedError) as refused:
        take([Count(EMAIL, "ada@example.org", TEN)])

    assert refused.value.limit == EMAIL
    assert 3590 <= refused.value.retry_after <= 3600
    take([Count(EMAIL, "bob@example.org", TEN)])


@pytest.mark.django_db
def test_a_window_that_has_ended_begins_anew() -> None:
    for _number in range(10):
        take([Count(EMAIL, "ada@example.org", TEN)])
    end_windows()

    take([Count(EMAIL, "ada@example.org", TEN)])

    assert used(EMAIL, "ada@example.org") == 1


@pytest.mark.django_db
def test_a_refusal_counts_nothing_elsewhere() -> None:
    both = [Count(EMAIL, "ada@example.org", Rate(1, 60)), Count(ADDRESS, "192.0.2.1", TEN)]
    take(both)

    with pytest.raises(LimitReachedError):
        take(both)

    assert used(ADDRESS, "192.0.2.1") == 1


@pytest.mark.django_db(transaction=True)  # windows of one transaction begin at the same time
def test_what_did_not_happen_is_given_back_to_its_own_window_only() -> None:
    counted = take([Count(EMAIL, "ada@example.org", TEN), Count(ADDRESS, "192.0.2.1", TEN)])
    give_back(counted)
    assert (used(EMAIL, "ada@example.org"), used(ADDRESS, "192.0.2.1")) == (0, 0)
    end_windows()
    take([Count(EMAIL, "ada@example.org", TEN)])

    give_back(counted)

    assert used(EMAIL, "ada@example.org") == 1


@pytest.mark.django_db
def test_an_operators_value_replaces_the_settings_at_once() -> None:
    take([Count(EMAIL, "ada@example.org", TEN)])
    Limit.objects.create(name=EMAIL, allowed=1, seconds=60)

    with pytest.raises(LimitReachedError):
        take([Count(EMAIL, "ada@example.org", TEN)])

    Limit.objects.update(allowed=0)
    assert take([Count(EMAIL, "ada@example.org", TEN)]) == []
    Limit.objects.update(allowed=None, seconds=None)
    take([Count(EMAIL, "ada@example.org", TEN)])


@pytest.mark.django_db
def test_without_a_limit_nothing_is_counted() -> None:
    assert take([Count(EMAIL, "ada@example.org", UNLIMITED)]) == []
    assert not LimitCounter.objects.exists()


@pytest.mark.django_db
def test_it_takes_one_statement(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        take([Count(EMAIL, "ada@example.org", TEN), Count(ADDRESS, "192.0.2.1", TEN)])


@pytest.mark.django_db
def test_a_shared_counter_is_spread_over_rows_that_add_up_to_the_limit() -> None:
    everybody = Count("order:all", "all", Rate(1000, 3600), is_shared=True)
    for _number in range(60):
        take([everybody])

    rows = LimitCounter.objects.filter(name="order:all")

    assert {row.key for row in rows} == {"0", "1", "2", "3"}
    assert sum(row.allowed for row in rows) == 1000
    assert sum(row.used for row in rows) == 60


@pytest.mark.django_db
def test_only_ended_counters_are_forgotten() -> None:
    take([Count(EMAIL, "ada@example.org", TEN)])
    end_windows()
    take([Count(EMAIL, "bob@example.org", TEN)])

    assert forget_ended_counters() == 1

    assert LimitCounter.objects.get().key == "bob@example.org"
    assert forget_ended_counters() is None


# ── At once ─────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """60 threads take a while to meet on a busy machine."""
    monkeypatch.setattr(counters, "LOCK_TIMEOUT", "30s")


@pytest.mark.usefixtures("patient")
@pytest.mark.django_db(transaction=True)
def test_of_60_clients_at_once_exactly_10_pass() -> None:
    def attempt(number: int) -> object:
        return take([Count(ADDRESS, "192.0.2.1", TEN), Count(EMAIL, f"{number}@example.org", TEN)])

    assert passed(attempt) == 10
    assert used(ADDRESS, "192.0.2.1") == 10
    assert LimitCounter.objects.filter(name=EMAIL, used=1).count() == 10


def passed_with_one_look() -> int:
    """Return how many of the clients pass if all look at the counter before the first counts."""
    counted = take([Count(ADDRESS, "192.0.2.1", TEN)])
    give_back(counted)
    with connection.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        cursor.execute("BEGIN; SELECT FROM project_limitcounter FOR UPDATE")
        result = pool.submit(passed, lambda _: take([Count(ADDRESS, "192.0.2.1", TEN)]))
        try:
            wait_until(_all_wait, seconds=25, what="all clients wait for the row")
        finally:
            cursor.execute("ROLLBACK")
        return result.result()


def _all_wait() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0] >= CLIENTS)


@pytest.mark.usefixtures("patient")
@pytest.mark.django_db(transaction=True)
def test_of_60_clients_that_all_look_before_the_first_counts_exactly_10_pass() -> None:
    assert passed_with_one_look() == 10


@pytest.mark.usefixtures("patient")
@pytest.mark.django_db(transaction=True)
def test_control_without_the_check_under_the_lock_more_than_10_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    guard = "WHERE counter.ends_at <= now() OR counter.used < excluded.allowed"
    assert guard in counters._TAKE
    monkeypatch.setattr(counters, "_TAKE", counters._TAKE.replace(guard, ""))

    assert passed_with_one_look() > TEN.allowed


def _in_any_order() -> list[Count]:
    names = [f"order:{letter}" for letter in "abcdef"]
    random.shuffle(names)
    return [Count(name, "hot", Rate(1_000_000, 3600)) for name in names]


def _rush(number: int) -> None:
    for _round in range(20):
        counted = take(_in_any_order())
        if number % 3 == 0:
            random.shuffle(counted)
            give_back(counted)


@pytest.mark.usefixtures("patient")
@pytest.mark.django_db(transaction=True)
def test_keys_in_any_order_never_deadlock() -> None:
    assert passed(_rush, clients=12) == 12
    assert {row.used for row in LimitCounter.objects.all()} == {160}


@pytest.mark.usefixtures("patient")
@pytest.mark.django_db(transaction=True)
def test_control_keys_that_are_locked_in_no_order_deadlock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shuffled = counters._TAKE.replace("ORDER BY name, key", "ORDER BY random()")
    monkeypatch.setattr(counters, "_TAKE", shuffled)

    with pytest.raises(OperationalError, match="deadlock"):
        passed(_rush, clients=12)
