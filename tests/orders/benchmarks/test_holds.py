"""The races of `bench holds`: what they play, and that they would see a unit too many."""

import pytest

from orders.benchmarks import holds
from orders.models import Stock
from tests.factories import add_product

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]
SKU = "bench-999"


def test_the_races_play_every_step_and_sell_no_unit_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(holds, "CLIENTS", 4)
    add_product(SKU)

    raced = holds._race(400)

    assert raced["ordered"] > 1
    assert raced["ordered and cancelled"] > 1
    assert raced["held"] > 20
    assert raced["given back"] > 1
    assert raced["expired"] > 1
    assert (raced["oversold"], raced["findings"]) == (0, 0)
    # Control: one unit that nobody delivered is one too many.
    Stock.objects.filter(product__sku=SKU).update(available=999)
    assert holds._oversold(SKU) > 0
