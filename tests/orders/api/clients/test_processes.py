"""Keys in two real web processes: one limit for both, and a revoked key works in neither."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from orders.clients.keys import revoke_key
from orders.models import ApiKey
from project.models import LimitCounter
from tests.clients import api_client, key_of
from tests.concurrency.web import Web, web

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("live"),
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
]
CLIENTS = 8


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Web]:
    with web(tmp_path) as started:
        yield started


def ask(shop: Web, key: str, *, requests: int) -> list[httpx.Response]:
    """Ask from several clients at once; each request has a connection, so any process has it."""

    def one(_number: int) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}", "Connection": "close"}
        url = f"{shop.url}/api/v1/orders"
        return httpx.get(url, headers=headers, timeout=60, trust_env=False)

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(one, range(requests)))


def test_a_limit_is_counted_right_by_two_processes(shop: Web) -> None:
    client = api_client(requests_per_minute=20)
    key = key_of()

    # A window may end while a slow machine asks: it ends with the test, not in its midst.
    ask(shop, key, requests=1)
    LimitCounter.objects.update(ends_at=client.created_at.replace(year=2999))
    answers = ask(shop, key, requests=40)

    assert Counter(answer.status_code for answer in answers) == {200: 19, 429: 21}
    left = [
        answer.headers["RateLimit"].split(";")[1] for answer in answers if answer.status_code == 200
    ]
    assert sorted(left) == sorted(f"r={number}" for number in range(19))


def test_a_revoked_key_works_in_no_process(shop: Web) -> None:
    key = key_of()
    before = ask(shop, key, requests=16)

    revoke_key(ApiKey.objects.get().pk)
    after = ask(shop, key, requests=16)

    assert {answer.status_code for answer in before} == {200}
    assert {answer.status_code for answer in after} == {401}
