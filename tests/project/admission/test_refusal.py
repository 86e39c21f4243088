"""What an order hears that is not let in."""

from typing import Any
from uuid import UUID

from django.core.handlers.wsgi import WSGIHandler
from django.test import Client
from django.urls import reverse

from orders.placing.errors import ShopBusy
from project.admission.refusal import answer_to_programs, refused
from project.admission.worker import COMPLETIONS, ORDER_PATHS

NIL = UUID(int=0)


def test_the_bytes_for_programs_are_the_shops_own_answer_without_a_query(client: Client) -> None:
    answer = answer_to_programs(WSGIHandler(), site_url="http://localhost:8000")
    with refused():
        shown = client.post("/api/v1/orders")

    assert answer is not None
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *headers = head.decode().split("\r\n")
    said = dict(line.split(": ", 1) for line in headers)
    assert status == "HTTP/1.1 503 Service Unavailable"
    # Each of them is another request: none has the id of the one whose answer was kept.
    assert said == {name: each for name, each in shown.headers.items() if name != "X-Request-ID"}
    assert said["Retry-After"] == str(ShopBusy().retry_after)
    assert said["Content-Length"] == str(len(body))
    assert body == shown.content
    assert shown.json()["code"] == "busy"


def test_a_shop_that_does_not_know_its_own_host_is_asked_each_time(
    settings: Any,
) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]

    assert answer_to_programs(WSGIHandler(), site_url="http://elsewhere.example.com") is None


def test_the_paths_of_orders_are_the_shops() -> None:
    names = ("api:create_order", "api:create_hold", "checkout", "checkout-hold")
    assert tuple(map(reverse, names)) == ORDER_PATHS


def test_the_path_of_an_agents_order_is_the_shops() -> None:
    before, behind = COMPLETIONS
    path = reverse("ucp-complete", args=[NIL])

    assert f"POST {path}".encode() == before + str(NIL).encode() + behind


def test_an_agents_order_that_is_not_let_in_is_answered_with_busy(client: Client) -> None:
    with refused():
        answer = client.post(reverse("ucp-complete", args=[NIL]))

    assert answer.status_code == 503
    assert answer.json()["code"] == "busy"
    assert answer.headers["Retry-After"] == str(ShopBusy().retry_after)
