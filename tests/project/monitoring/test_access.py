"""Who may read `/metrics`."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from project.conf.networks import networks

pytestmark = pytest.mark.django_db

TOKEN = "4fSyp0xRZ1hmT3nQ7vKd"
NOWHERE = 404


@pytest.fixture(autouse=True)
def closed(settings: Any) -> Any:
    """A shop whose settings name nobody, behind one proxy."""
    settings.METRICS_ALLOWED, settings.METRICS_TOKEN = [], ""
    settings.TRUSTED_PROXY_COUNT = 1
    return settings


def status(peer: str, **headers: str) -> int:
    return Client().get("/metrics", REMOTE_ADDR=peer, headers=headers).status_code


def test_a_shop_that_names_nobody_shows_nobody_its_figures() -> None:
    answer = Client().get("/metrics")

    assert answer.status_code == NOWHERE
    assert b"tandem" not in answer.content


def test_named_networks_may_read_and_others_may_not(closed: Any) -> None:
    closed.METRICS_ALLOWED = [*networks_of("192.0.2.10, 10.1.0.0/16,fd00::/8")]

    assert status("192.0.2.10") == status("10.1.200.3") == status("fd00::17") == 200
    assert status("::ffff:192.0.2.10") == 200
    assert status("192.0.2.11") == status("10.2.0.1") == status("2001:db8::1") == NOWHERE


def test_the_address_is_the_one_that_our_outermost_proxy_saw(closed: Any) -> None:
    closed.METRICS_ALLOWED = networks_of("192.0.2.10,10.0.0.1")

    assert status("10.0.0.1", X_Forwarded_For="192.0.2.10") == 200
    assert status("10.0.0.1", X_Forwarded_For="203.0.113.5") == NOWHERE
    assert status("10.0.0.1", X_Forwarded_For="192.0.2.10, 203.0.113.5") == NOWHERE
    closed.TRUSTED_PROXY_COUNT = 0
    assert status("203.0.113.5", X_Forwarded_For="192.0.2.10") == NOWHERE


def test_the_bearer_of_the_token_may_read_from_anywhere(closed: Any) -> None:
    closed.METRICS_TOKEN = TOKEN

    assert status("203.0.113.5", Authorization=f"Bearer {TOKEN}") == 200
    assert status("203.0.113.5", Authorization=f"bearer {TOKEN}") == 200
    for wrong in (f"Bearer {TOKEN}x", "Bearer ", "Bearer ü", f"Basic {TOKEN}", TOKEN, ""):
        assert status("203.0.113.5", Authorization=wrong) == NOWHERE


def test_an_empty_token_is_nobodys() -> None:
    assert status("203.0.113.5", Authorization="Bearer ") == NOWHERE
    assert status("203.0.113.5", Authorization="Bearer") == NOWHERE


def networks_of(value: str) -> list[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METRICS_ALLOWED", value)
        return networks("METRICS_ALLOWED")


@pytest.mark.parametrize("value", ["10.1.2.3/16", "shop.example.org", "10.1.0.0/33", "1.2.3"])
def test_what_is_no_network_is_refused_by_the_settings_name(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^METRICS_ALLOWED: "):
        networks_of(f"192.0.2.10,{value}")
