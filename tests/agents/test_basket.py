"""What an agent is told about products that can't be bought."""

import pytest

from orders.agents.basket import MOST_NAMED
from tests.agents.agent import Agent, codes_of, lines
from tests.factories import add_product, add_shirt, add_variant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("local")]


def told(agent: Agent, *skus: str) -> str:
    """Return what the agent is told that wants these besides a mug."""
    add_product("MUG")
    body = {"line_items": lines(("MUG", 1), *((sku, 1) for sku in skus))}
    _status, answer = agent.send("POST", "/checkout-sessions", body)
    assert codes_of(answer).count("item_unavailable") == len(skus)
    return " ".join(each["content"] for each in answer["messages"])


def test_a_parent_names_its_variants(agent: Agent) -> None:
    shirt = add_shirt(options=("Size",))
    add_variant(shirt, "M")
    add_variant(shirt, "L")

    assert "Choose one of them: SHIRT-M, SHIRT-L." in told(agent, "SHIRT")


def test_a_parent_with_many_variants_names_some(agent: Agent) -> None:
    shirt = add_shirt(options=("Size",))
    for number in range(MOST_NAMED + 1):
        add_variant(shirt, str(number))

    words = told(agent, "SHIRT")

    assert words.count("SHIRT-") == MOST_NAMED
    assert "SHIRT-9, …." in words


def test_a_parent_without_variants_and_an_unknown_product_name_none(agent: Agent) -> None:
    add_shirt(options=("Size",))

    words = told(agent, "SHIRT", "NO-SUCH")

    assert "SHIRT can’t be bought." in words
    assert "NO-SUCH can’t be bought." in words
