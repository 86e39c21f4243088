"""PAYMENT_PROVIDERS: what is wrong or missing is named at the start."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from project.conf import payments
from project.conf.payments import bank_account, payment_pages, payment_providers, stripe_key
from tests.project.conf.production import PRODUCTION, manage

KEYS = {"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRET": "whsec_1"}


def chosen(*names: str, values: dict[str, str] = KEYS, is_local: bool = False) -> list[str]:
    return payment_providers("PAYMENT_PROVIDERS", names, values=values, is_local=is_local)


def test_what_is_chosen_keeps_its_order() -> None:
    assert chosen("stripe", "test-bank", is_local=True) == ["stripe", "test-bank"]
    assert chosen("off") == chosen() == []


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("paypal",), "'paypal' is not that"),
        (("stripe", "stripe"), "or there twice"),
        (("off", "stripe"), "'off' is not that"),
        (("test-bank",), "for a local run only"),
    ],
)
def test_a_wrong_choice_is_refused(names: tuple[str, ...], said: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=said):
        chosen(*names)


@pytest.mark.parametrize("missing", list(KEYS))
def test_a_missing_key_is_named(missing: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"set {missing}, too"):
        chosen("stripe", values={**KEYS, missing: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [("STRIPE_SECRET_KEY", "pk_live_1"), ("STRIPE_WEBHOOK_SECRET", "sk_live_1")],
)
def test_one_key_in_the_place_of_another_is_refused_unseen(name: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=name) as refused:
        stripe_key(name, value)

    assert value not in str(refused.value)
    assert stripe_key("STRIPE_SECRET_KEY", "rk_live_1") == "rk_live_1"


def test_a_missing_sdk_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payments, "find_spec", lambda name: None)

    with pytest.raises(ImproperlyConfigured, match=r"pip install -r requirements-stripe\.txt"):
        chosen("stripe")


def test_in_production_the_test_bank_stops_the_start() -> None:
    checked = manage("check", **PRODUCTION, PAYMENT_PROVIDERS="test-bank")

    assert checked.returncode == 1
    assert "for a local run only" in checked.stderr


def test_the_pages_of_the_chosen_providers_may_be_led_to() -> None:
    pages = payment_pages(["stripe", "test-bank"], site_url="http://localhost:8000/shop")

    assert pages == ["https://checkout.stripe.com", "http://localhost:8000"]


@pytest.mark.parametrize(
    ("holder", "iban", "bic", "said"),
    [
        ("Tandem", "DE02120300000000202052", "", "PAYMENT_ACCOUNT_IBAN"),
        ("Tandem", "DE02", "", "PAYMENT_ACCOUNT_IBAN"),
        ("", "DE02120300000000202051", "", "PAYMENT_ACCOUNT_HOLDER"),
        ("Tandem", "DE02120300000000202051", "BYLA", "PAYMENT_ACCOUNT_BIC"),
    ],
    ids=["a wrong digit", "too short", "no holder", "half a BIC"],
)
def test_an_account_that_money_would_not_reach_is_refused(
    holder: str, iban: str, bic: str, said: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=said):
        bank_account(holder=holder, iban=iban, bic=bic)


def test_an_account_is_kept_without_spaces_and_printed_in_groups() -> None:
    account = bank_account(holder="Tandem", iban="gb82 west 1234 5698 7654 32", bic="")

    assert account is not None
    assert account.iban == "GB82WEST12345698765432"
    assert account.printed_iban == "GB82 WEST 1234 5698 7654 32"
    assert bank_account(holder="", iban="", bic="") is None
