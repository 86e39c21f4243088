"""Every variable with every kind of wrong value: none passes silently.

Each case reads all settings anew, as a process does that starts.
"""

import re
from runpy import run_path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from notifications.checks import check_sms
from project.local.env import ROOT, SETTING_NAMES
from tests.project.conf.production import PRODUCTION

VARIABLE = re.compile(r"^(?:# )?([A-Z][A-Z_]+)=(.*)$", re.MULTILINE)
CHECKED = ("SMS_URL", "SMS_ORDER", "SMS_SUCCESS", "SMS_TEMPLATES")
"""What the settings only read; a check parses it, and ends a process as well."""

EMPTY, BLANK, ZERO, NEGATIVE, WORD, HUGE = "", "  ", "0", "-1", "abc", "9" * 30
WRONG = (EMPTY, BLANK, ZERO, NEGATIVE, WORD, HUGE)

TEXT = {ZERO, NEGATIVE, WORD, HUGE}
SWITCH = {ZERO}
MAY_BE_NONE = {EMPTY}
TAKEN: dict[str, set[str]] = {
    # What people read or what names a place may be anything that isn't empty.
    "SHOP_NAME": TEXT,
    "OTEL_SERVICE_NAME": TEXT,
    "TANDEM_DATA": TEXT,
    "MEDIA_STORAGE": TEXT,
    "PAYMENT_INSTRUCTIONS": TEXT | MAY_BE_NONE,
    # What an invoice says; without it none is issued.
    **dict.fromkeys(("COMPANY_NAME", "COMPANY_ADDRESS", "COMPANY_TAX_ID"), TEXT | MAY_BE_NONE),
    "COMPANY_IBAN": MAY_BE_NONE,
    "TAX_RATE": {EMPTY, ZERO},
    # Numbers of which 0 is one: no proxy, and alerts only once nothing is left.
    "TRUSTED_PROXY_COUNT": {ZERO},
    # Browsers are told nothing.
    "HSTS_SECONDS": {ZERO},
    "HSTS_SUBDOMAINS": SWITCH,
    "HSTS_PRELOAD": SWITCH,
    "LOW_STOCK_UNITS": {ZERO},
    # Nothing is held.
    "HOLD_MINUTES": {ZERO},
    # Nothing is kept.
    "KEEP_PAGES_SECONDS": {ZERO},
    "DRAIN_SECONDS": {ZERO},
    # Delivered on the same day; goods that weigh nothing.
    "DELIVERY_DAYS": {ZERO},
    # The buyer goes with the person.
    "KEEP_INVOICES_YEARS": {ZERO},
    "DELIVERY_UNKNOWN_WEIGHT": {ZERO},
    "DELIVERY_FLAT_RATE": {EMPTY, ZERO},
    # The run waits for a minute without any order.
    "PERFORMANCE_MOST_TRAFFIC": {ZERO},
    "BACKUP_FOLDER": TEXT | MAY_BE_NONE,
    "DELIVERY_PICKUP": SWITCH,
    "DELIVERY_TABLE": SWITCH,
    "PAYMENT_AT_PICKUP": SWITCH,
    "DEBUG": SWITCH,
    "TANDEM_LOCAL": SWITCH,
    "SMS_FIRST_NEEDS_EMAIL": SWITCH,
    "STAFF_SECOND_FACTOR": SWITCH,
    **dict.fromkeys(
        (
            *("SECRET_KEY_FALLBACKS", "CSRF_TRUSTED_ORIGINS", "PAYMENT_DUE_HOURS", "SMS_URL"),
            *("SMS_SUCCESS", "SMS_ORDER", "SMS_TEMPLATES", "EMAIL_PER_MINUTE", "SMS_PER_MINUTE"),
            *("MARKETING_QUIET_HOURS", "RECEIPT_SECRETS", "FFMPEG_BINARY", "SENTRY_DSN"),
            *("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "PERFORMANCE_URL"),
            *("DELIVERY_BY_WEIGHT", "DELIVERY_CARRIERS", "TRACKING_LINKS"),
            *("PAYMENT_ACCOUNT_HOLDER", "PAYMENT_ACCOUNT_IBAN", "PAYMENT_ACCOUNT_BIC"),
            *("PAGES_DATABASE_URL", "REPLICA_DATABASE_URL"),
            *("METRICS_ALLOWED", "METRICS_TOKEN", "STATSD_ADDRESS", "WEBHOOK_INSIDE"),
            *("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "TRACES_TRUSTED"),
        ),
        MAY_BE_NONE,
    ),
}
"""The values that a variable takes; all others are refused."""


def said(name: str, value: str, monkeypatch: pytest.MonkeyPatch, settings: Any) -> str:
    """Return what a production shop says of this value at its start; empty if it takes it."""
    for known in SETTING_NAMES:
        monkeypatch.delenv(known, raising=False)
    for each, right in {**PRODUCTION, name: value}.items():
        monkeypatch.setenv(each, right)
    try:
        read = run_path(str(ROOT / "project" / "settings.py"))
    except ImproperlyConfigured as error:
        return str(error)
    for checked in CHECKED:
        setattr(settings, checked, read[checked])
    return "; ".join(found.msg for found in check_sms() if found.is_serious())


@pytest.mark.parametrize("name", SETTING_NAMES)
def test_what_a_variable_does_not_take_is_refused_by_its_name(
    name: str, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    words = {value: said(name, value, monkeypatch, settings) for value in WRONG}

    assert {value for value in WRONG if not words[value]} == TAKEN.get(name, set())
    assert not [refusal for refusal in words.values() if refusal and name not in refusal]


def test_those_that_stand_empty_in_the_example_may_be_empty_and_no_others() -> None:
    example = dict(VARIABLE.findall((ROOT / ".env.example").read_text()))
    example["SECRET_KEY"] = "…"  # stands empty, because each shop needs its own

    assert {name for name, value in example.items() if not value} == {
        name for name, taken in TAKEN.items() if EMPTY in taken
    }
