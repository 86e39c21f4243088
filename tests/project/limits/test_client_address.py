"""Whose address counts, behind how many proxies."""

import logging
from typing import Any

import pytest
from django.test import RequestFactory

from project.limits.client_address import (
    UNKNOWN,
    _warn_of_unknown_proxy,
    client_address,
    counted_address,
    counted_form,
    counted_inet,
)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "", "192.0.2.1"),
        (0, "6.6.6.6", "192.0.2.1"),
        (1, "6.6.6.6, 198.51.100.7", "198.51.100.7"),
        (2, "6.6.6.6, 198.51.100.7, 10.0.0.1", "198.51.100.7"),
        (2, "6.6.6.6", "192.0.2.1"),
        (1, "nonsense", "192.0.2.1"),
        (1, "2001:DB8::1", "2001:db8::1"),
        (1, "::ffff:198.51.100.7", "198.51.100.7"),
        (1, "::FFFF:c633:6407", "198.51.100.7"),
    ],
)
def test_only_what_our_own_proxies_wrote_is_believed(
    settings: Any, proxies: int, forwarded: str, address: str
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies
    request = RequestFactory().get(
        "/", REMOTE_ADDR="192.0.2.1", headers={"X-Forwarded-For": forwarded}
    )

    assert client_address(request) == address


def test_a_socket_file_has_no_address() -> None:
    assert client_address(RequestFactory().get("/", REMOTE_ADDR="")) == UNKNOWN


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_an_ipv6_network_of_64_bits_counts_as_one_client(address: str, form: str) -> None:
    assert counted_form(address) == form


def test_a_request_counts_by_its_network() -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="2001:db8:1:2:3::9")

    assert counted_address(request) == "2001:db8:1:2::/64"
    assert counted_inet(request) == "2001:db8:1:2::"


@pytest.mark.parametrize(("proxies", "warnings"), [(0, 1), (1, 0)])
def test_a_proxy_that_the_settings_do_not_know_is_warned_of_once(
    settings: Any, caplog: pytest.LogCaptureFixture, proxies: int, warnings: int
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies
    _warn_of_unknown_proxy.cache_clear()
    forwarded = RequestFactory().get("/", headers={"X-Forwarded-For": "198.51.100.7"})

    with caplog.at_level(logging.WARNING):
        client_address(RequestFactory().get("/"))
        assert caplog.messages == []
        client_address(forwarded)
        client_address(forwarded)

    assert sum("TRUSTED_PROXY_COUNT is 0" in line for line in caplog.messages) == warnings
