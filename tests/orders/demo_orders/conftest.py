"""Settings of a fill: its pictures go to a folder of the test's own."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from orders.demo.orders import fill


@pytest.fixture(autouse=True)
def settings_of_a_fill(settings, tmp_path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    settings.SMS_URL = "http://sms.example/send"
    settings.DELIVERY_FLAT_RATE = {"*": Decimal("4.90")}


@pytest.fixture
def fixed_day(monkeypatch) -> None:
    """Let fills end on one Monday: weekdays decide how many orders the last days have."""
    monkeypatch.setattr(fill, "_last_midnight", lambda: datetime(2026, 3, 2, tzinfo=UTC))
