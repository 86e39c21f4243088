"""The span of a request: its route and its answer, and whose trace it goes on with."""

from typing import Any

import pytest
from django.test import Client

from project.conf.networks import networks
from tests.factories import add_product

pytestmark = pytest.mark.django_db

CALLERS = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CALLERS_TRACE = int(CALLERS.split("-")[1], 16)


def test_a_request_is_named_by_its_route_and_not_by_its_path(client: Client, ended: Any) -> None:
    add_product("TEA")

    client.get("/products/tea/?q=ada@example.org")

    [request] = ended.get_finished_spans()
    assert request.name == "GET products/<slug:slug>/"
    assert request.attributes == {
        "http.request.method": "GET",
        "http.route": "products/<slug:slug>/",
        "http.response.status_code": 200,
    }
    assert "ada" not in request.to_json()


def test_an_answer_of_the_servers_fault_is_an_error(
    client: Client, ended: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any, **_options: Any) -> None:
        raise RuntimeError("ada@example.org")

    add_product("TEA")
    monkeypatch.setattr("orders.shop.views.products.product_page", fail)
    client.raise_request_exception = False

    assert client.get("/products/tea/").status_code == 500
    [request] = ended.get_finished_spans()
    assert (request.status.is_ok, request.attributes["error.type"]) == (False, "500")
    assert "ada" not in request.to_json()


def test_what_is_not_found_is_no_error(client: Client, ended: Any) -> None:
    client.get("/no-such-page/")

    [request] = ended.get_finished_spans()
    assert request.status.is_unset
    assert request.attributes["http.response.status_code"] == 404


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_what_programs_ask_every_few_seconds_has_none(
    client: Client, ended: Any, path: str
) -> None:
    client.get(path)

    assert ended.get_finished_spans() == ()


@pytest.mark.parametrize(
    ("trusted", "address", "goes_on"),
    [
        ("", "192.0.2.7", False),
        ("192.0.2.0/24", "192.0.2.7", True),
        ("192.0.2.0/24", "198.51.100.7", False),
    ],
)
def test_a_callers_trace_is_gone_on_with_where_the_caller_is_trusted(
    client: Client,
    ended: Any,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    trusted: str,
    address: str,
    goes_on: bool,
) -> None:
    monkeypatch.setenv("TRACES_TRUSTED", trusted)
    settings.TRACES_TRUSTED = networks("TRACES_TRUSTED")

    client.get("/", headers={"traceparent": CALLERS}, REMOTE_ADDR=address)

    [request] = ended.get_finished_spans()
    assert (request.context.trace_id == CALLERS_TRACE) is goes_on
    assert (request.parent is not None) is goes_on


def test_behind_a_proxy_it_is_the_caller_who_must_be_trusted(
    client: Client, ended: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACES_TRUSTED", "10.0.0.0/8")
    settings.TRACES_TRUSTED = networks("TRACES_TRUSTED")
    settings.TRUSTED_PROXY_COUNT = 1
    headers = {"traceparent": CALLERS, "X-Forwarded-For": "10.9.9.9, 198.51.100.7"}

    client.get("/", headers=headers, REMOTE_ADDR="10.0.0.1")

    [request] = ended.get_finished_spans()
    assert request.context.trace_id != CALLERS_TRACE
