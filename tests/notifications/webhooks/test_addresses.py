import socket
import time
from ipaddress import ip_address, ip_network

import pytest

from notifications.channels.deadline import Deadline
from notifications.webhooks import addresses
from notifications.webhooks.addresses import InsideAddressError, connect, is_public
from project.jobs.queryset import Status
from tests.notifications.webhooks.receiver import attempt, happened


@pytest.mark.parametrize(
    "inside",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
        *(
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
        ),
        *("::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "::127.0.0.1", "ff02::1"),
    ],
)
def test_an_address_inside_is_known_in_each_of_its_forms(inside):
    assert not is_public(ip_address(inside))


@pytest.mark.parametrize("outside", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_an_address_outside_is_public(outside):
    assert is_public(ip_address(outside))


def leads_to(monkeypatch, *found: str) -> None:
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443)) for each in found]
    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *a, **b: rows)


def test_a_name_with_one_address_inside_is_refused_before_any_connection(monkeypatch, settings):
    settings.WEBHOOK_INSIDE = []
    leads_to(monkeypatch, "8.8.8.8", "10.0.0.1")
    monkeypatch.setattr(addresses.socket, "create_connection", lambda *a: pytest.fail("connected"))

    with pytest.raises(InsideAddressError, match=r"10\.0\.0\.1"):
        connect(("hooks.example", 443))


def test_the_checked_address_is_connected_to_and_not_looked_up_again(monkeypatch, settings):
    settings.WEBHOOK_INSIDE = []
    leads_to(monkeypatch, "8.8.8.8")
    asked: list[object] = []
    monkeypatch.setattr(
        addresses.socket, "create_connection", lambda address, *a: asked.append(address)
    )

    connect(("hooks.example", 443))

    assert asked == [("8.8.8.8", 443)]


def test_plain_http_goes_to_known_networks_only(monkeypatch, settings):
    settings.WEBHOOK_INSIDE = [ip_network("10.0.0.0/8")]
    asked: list[object] = []
    monkeypatch.setattr(
        addresses.socket, "create_connection", lambda address, *a: asked.append(address)
    )

    leads_to(monkeypatch, "10.0.0.1")
    connect(("warehouse", 80), is_tls=False)
    assert asked == [("10.0.0.1", 80)]

    leads_to(monkeypatch, "8.8.8.8")
    with pytest.raises(InsideAddressError, match="plain http"):
        connect(("hooks.example", 80), is_tls=False)


def test_all_addresses_of_a_name_together_have_the_deadlines_time(monkeypatch, settings):
    settings.WEBHOOK_INSIDE = []
    leads_to(monkeypatch, *(f"8.8.8.{last}" for last in range(50)))
    given: list[float] = []

    def drops_packets(_address, timeout, *_more):
        given.append(timeout)
        time.sleep(timeout)
        raise TimeoutError("timed out")

    monkeypatch.setattr(addresses.socket, "create_connection", drops_packets)

    with pytest.raises(TimeoutError):
        connect(("hooks.example", 443), 0.05, deadline=Deadline(0.12))
    assert sum(given) <= 0.12


def test_a_delivery_to_an_address_inside_sends_nothing(endpoint, receiver, settings):
    settings.WEBHOOK_INSIDE = []

    delivery = attempt(happened()[0])

    assert receiver.came == []
    assert delivery.status == Status.QUEUED
    assert "leads inside: 127.0.0.1" in delivery.error
