"""Agents in a rush, and processes that die under them: real PostgreSQL and real processes.

That no unit is sold twice is the StockWriter's work, whose controls are in tests/orders/placing:
the same `place_order` places agents' orders. The control here takes away what agents have of their
own: the session's id as the order's key.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep
from typing import Any

import httpx
import pytest

from orders.models import AgentCheckout, Order, Stock
from project.local.data_folder import free_port
from tests.agents.agent import Agent, codes_of, paying
from tests.concurrency.web import web
from tests.factories import add_product

pytestmark = [
    pytest.mark.live,
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.timeout(300),
]
AGENTS, UNITS = 200, 50


@pytest.fixture
def options() -> dict[str, str]:
    return {"TANDEM_LOCAL": "1"}


@pytest.fixture
def shop(tmp_path: Path, options: dict[str, str]) -> Iterator[str]:
    with web(tmp_path, **options) as started:
        yield started.url


def completed(agent: Agent, checkout: dict[str, Any]) -> dict[str, Any]:
    """Complete the checkout; who is told that the shop is busy asks again with the same key."""
    key = checkout["id"]
    while True:
        path = f"/checkout-sessions/{checkout['id']}/complete"
        answer = agent.answer("POST", path, paying(), key=key)
        if answer.status_code != 503:
            return dict(answer.json())
        sleep(float(answer.headers["Retry-After"]) / 4)


def test_two_hundred_agents_for_fifty_units(shop: str) -> None:
    product = add_product("RARE", stock=UNITS)
    agents = [Agent(url=shop) for _each in range(AGENTS)]
    with ThreadPoolExecutor(40) as threads:
        checkouts = list(threads.map(lambda agent: agent.checkout(("RARE", 1)), agents))
        answers = list(threads.map(completed, agents, checkouts))

    statuses = Counter(answer["status"] for answer in answers)
    refused = [answer for answer in answers if answer["status"] != "completed"]
    assert statuses["completed"] == UNITS == Order.objects.count()
    assert all("out_of_stock" in codes_of(answer) for answer in refused)
    assert Stock.objects.get(pk=product.pk).available == 0
    assert AgentCheckout.objects.filter(stage="completed").count() == UNITS


class TestWithADeadBroker:
    @pytest.fixture
    def options(self) -> dict[str, str]:
        return {
            "TANDEM_LOCAL": "1",
            "CELERY_BROKER_URL": f"redis://127.0.0.1:{free_port()}/0",
        }

    def test_an_agent_orders_all_the_same(self, shop: str) -> None:
        add_product("MUG")
        agent = Agent(url=shop)

        answer = completed(agent, agent.checkout(("MUG", 1)))

        assert answer["status"] == "completed"
        assert Order.objects.get().door == Order.Source.AGENT


def asked_after_the_crash(tmp_path: Path, **more: str) -> tuple[str, dict[str, Any]]:
    """Return what a read and a repeat are told after the process died over a completion."""
    add_product("MUG", stock=10)
    crash_at = tmp_path / "crash"
    options = {"TANDEM_LOCAL": "1", "CRASH_AT": str(crash_at), **more}
    with web(tmp_path, entry="tests.agents.dying_web", **options) as started:
        agent = Agent(url=started.url)
        checkout = agent.checkout(("MUG", 2))
        crash_at.touch()
        path = f"/checkout-sessions/{checkout['id']}"
        with pytest.raises(httpx.TransportError):
            agent.answer("POST", f"{path}/complete", paying(), key="the first key")
        assert not crash_at.exists()
        _status, read = Agent(url=started.url).send("GET", path)
        repeat = completed(Agent(url=started.url), checkout)
    return read["status"], repeat


def test_a_checkout_that_kill_9_cut_off_has_its_order(tmp_path: Path) -> None:
    status, repeat = asked_after_the_crash(tmp_path)

    assert (status, repeat["status"]) == ("completed", "completed")
    assert Order.objects.count() == 1
    assert repeat["order"]["id"] == str(Order.objects.get().pk)
    assert Stock.objects.get().available == 8


def test_without_the_sessions_id_as_key_the_repeat_orders_again(tmp_path: Path) -> None:
    """The control."""
    asked_after_the_crash(tmp_path, FORGETFUL="1")

    assert Order.objects.count() == 2
