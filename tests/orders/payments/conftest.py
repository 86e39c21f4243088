"""A local shop with the test bank, and tea to pay for."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orders.models import Order, PaymentAttempt
from orders.payments.attempts import pay_online
from orders.payments.provider import Outcome, Report
from tests.desk import clerk, clerk_client
from tests.factories import add_product
from tests.order_states import placed

__all__ = ["clerk", "clerk_client"]  # fixtures


@pytest.fixture(autouse=True)
def bank(settings, tmp_path: Path) -> None:
    """Pay at the test bank, whose payments are kept in a folder of the test's own."""
    settings.TANDEM_LOCAL = True
    settings.DATA_DIR = tmp_path
    settings.PAYMENT_PROVIDERS = ["test-bank"]
    settings.STAFF_EMAILS = ["staff@example.org"]


@pytest.fixture
def tea(db: None) -> None:
    add_product("TEA", stock=100, price="5.00")


@pytest.fixture
def order(tea: None) -> Order:
    """An order with 10.00 due."""
    return placed(("TEA", 2))


@pytest.fixture
def attempt(order: Order) -> PaymentAttempt:
    """An attempt whose customer is at the bank's page."""
    pay_online(order_id=order.pk, provider="test-bank")
    return PaymentAttempt.objects.get()


@pytest.fixture
def report(attempt: PaymentAttempt) -> Callable[..., Report]:
    """Return the bank's report that the attempt is paid, with changes."""

    def make(**changes: Any) -> Report:
        values: dict[str, Any] = {
            "outcome": Outcome.PAID,
            "reference": attempt.reference,
            "attempt_id": attempt.pk,
            "payment": attempt.reference,
            "amount": Decimal("10.00"),
            "currency": "EUR",
        }
        return Report(**(values | changes))

    return make
