"""No attack finds an anomaly; without the guards each does."""

import pytest

from tests.acidrain import accounts, money, order_life, shopping, vouchers
from tests.acidrain.attack import Attack, Outcome, Shop, without_constraints
from tests.live import wait_until
from tests.races import all_is_right

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("live"),
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]

RACES = [25, pytest.param(1000, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])]
MOST = 240
"""Races of a control: the hardest to hit, the last unit, goes wrong in one of ten."""

attacks = pytest.mark.parametrize(
    "attack",
    [
        *(*shopping.ATTACKS, *vouchers.ATTACKS, *order_life.ATTACKS),
        *(*money.ATTACKS, *accounts.ATTACKS),
    ],
    ids=lambda attack: attack.name.replace(" ", "_"),
)


@attacks
@pytest.mark.parametrize("races", RACES)
def test_no_race_goes_wrong(attack: Attack, races: int, guarded: Shop) -> None:
    assert attack.make(guarded, races) == Outcome(anomalies=[], failures=[])

    wait_until(all_is_right, seconds=20, what="the audit is clean")


@attacks
def test_control_without_the_guards_it_does(attack: Attack, unguarded: Shop) -> None:
    with without_constraints(attack):
        anomaly = attack.first_anomaly(unguarded, most=MOST)

    assert anomaly
