"""The limit of a client: one number for all its keys, the operator's or its own."""

from typing import Any

import pytest
from django.db import OperationalError

from orders.clients import limit
from orders.clients.limit import TooManyRequestsError, count_request
from project.limits.rates import UNLIMITED, Rate
from project.models import Limit, LimitCounter
from tests.clients import api_client

pytestmark = pytest.mark.django_db


def test_each_request_leaves_one_less() -> None:
    client = api_client(requests_per_minute=3)

    found = [count_request(client) for _number in range(3)]

    assert [one and one.left for one in found] == [2, 1, 0]
    assert found[0] is not None
    assert found[0].rate == Rate(3, 60)
    assert 0 < found[0].reset <= 60


def test_beyond_its_limit_a_client_is_refused_until_the_window_ends() -> None:
    client = api_client(requests_per_minute=1)
    count_request(client)

    with pytest.raises(TooManyRequestsError) as refused:
        count_request(client)

    allowance = refused.value.allowance
    assert (allowance.rate, allowance.left) == (Rate(1, 60), 0)
    assert 0 < allowance.reset <= 60
    assert LimitCounter.objects.get().used == 1


def test_a_client_without_a_number_follows_the_setting(settings: Any) -> None:
    settings.API_CLIENT_LIMIT = Rate(2, 60)
    client = api_client()

    assert [one and one.left for one in (count_request(client), count_request(client))] == [1, 0]
    with pytest.raises(TooManyRequestsError):
        count_request(client)


def test_what_an_operator_enters_holds_for_clients_without_a_number_of_their_own() -> None:
    Limit.objects.create(name="api:client", allowed=1, seconds=3600)
    common, own = api_client("A"), api_client("B", requests_per_minute=5)

    first, second = count_request(common), count_request(own)

    assert first is not None
    assert second is not None
    assert (first.rate, first.left) == (Rate(1, 3600), 0)
    assert (second.rate, second.left) == (Rate(5, 60), 4)


def test_off_counts_nothing(settings: Any) -> None:
    settings.API_CLIENT_LIMIT = UNLIMITED

    assert count_request(api_client()) is None
    assert not LimitCounter.objects.exists()


def test_without_its_counters_a_client_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_counts: object) -> None:
        raise OperationalError

    monkeypatch.setattr(limit, "take", away)

    assert count_request(api_client()) is None
