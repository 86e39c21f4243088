"""kill -9 between the two commits: the order is there, its sales are not; then they are."""

import os
import subprocess
import sys

import pytest

from orders.models import Order, ProductSales
from orders.placing.placement import place_order
from orders.placing.settle import settle_due
from project.monitoring.audit import run_audit
from tests.database import this_database
from tests.factories import add_product, new_key, order_request
from tests.order_states import make_old

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])


def test_a_process_killed_between_the_two_commits_loses_no_sale() -> None:
    add_product("TEA")
    key = new_key()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.orders.placing.crashing_shop", "TEA", key],
        env=os.environ | {"DATABASE_URL": this_database()},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "stock committed\n"
    process.kill()
    process.communicate()
    order = Order.objects.get()
    assert ProductSales.objects.get().units == 0  # the control: nothing else counts it
    make_old()

    settle_due()

    assert ProductSales.objects.get().units == 2
    assert run_audit().is_clean
    repeat = place_order(order_request(("TEA", 2), key=key))
    assert repeat.replayed
    assert repeat.order.pk == order.pk
