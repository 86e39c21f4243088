"""Whatever goes wrong below /api/ is told as a problem."""

from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client

from orders.placing.errors import OrderLimited, OutcomeUnknown, PlacementFailed, ShopBusy
from tests.orders.api.bodies import Post, order

MEMBERS = {"type", "title", "status", "detail", "code"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("get", "/api/", 404, "not_found"),
        ("get", "/api/v1/", 404, "not_found"),
        ("get", "/api/v2/products", 404, "not_found"),
        ("get", "/api/v1/orders/1/lines", 404, "not_found"),
        ("get", "/api/v1/quotes", 405, "method_not_allowed"),
        ("put", "/api/v1/orders", 405, "method_not_allowed"),
        (
            "delete",
            "/api/v1/orders/0b5c7a52-6f1e-4c39-9d0a-0e5a6c1d2f3b",
            405,
            "method_not_allowed",
        ),
        ("put", "/api/v1/products", 405, "method_not_allowed"),
        ("post", "/api/v1/orders", 415, "unsupported_media_type"),
    ],
)
def test_what_is_not_offered(method: str, path: str, status: int, code: str) -> None:
    answer = getattr(Client(), method)(path, {"name": "Ada"} if method == "post" else None)

    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json().keys() >= MEMBERS
    assert (answer.json()["status"], answer.json()["code"]) == (status, code)
    assert int(answer["Content-Length"]) == len(answer.content)


def test_a_client_that_reads_gzip_can_read_what_is_not_offered() -> None:
    answer = Client(headers={"accept-encoding": "gzip"}).get("/api/v1/nothing")

    assert "Content-Encoding" not in answer
    assert answer.json()["code"] == "not_found"


def test_a_refused_method_says_which_is_allowed() -> None:
    assert Client().get("/api/v1/quotes")["Allow"] == "POST"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["docs", "openapi.json", ""])
def test_the_documentation_is_only_read(path: str, method: str) -> None:
    browser = Client(enforce_csrf_checks=True)

    answer = browser.generic(method, f"/api/v1/{path}")

    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
    assert answer["Content-Type"] == "application/problem+json"


def test_a_wrong_method_is_told_although_the_page_sent_no_token() -> None:
    browser = Client(enforce_csrf_checks=True)
    paths = ("products", "products/MUG", "orders", f"orders/{uuid4()}", f"uploads/{uuid4()}")

    for path in (*paths, "quotes", "uploads"):
        for method in ("PUT", "PATCH", "DELETE"):
            assert browser.generic(method, f"/api/v1/{path}").status_code == 405
    for path in ("catalogue", "products/MUG", f"orders/{uuid4()}", f"uploads/{uuid4()}"):
        assert browser.post(f"/api/v1/{path}").status_code == 405


def test_an_unknown_host_is_a_problem_too(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["shop.example"]

    answer = Client(headers={"host": "evil.example"}).get("/api/v1/products")

    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_request"


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def place_order(request: Any) -> None:
        raise error

    monkeypatch.setattr("orders.api.orders.place_order", place_order)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ShopBusy(retry_after=7), 503, "busy"),
        (OperationalError("server closed the connection"), 503, "busy"),
        (PlacementFailed(), 500, "placement_failed"),
        (RuntimeError("a bug"), 500, "server_error"),
    ],
)
def test_a_failure_says_no_more_than_it_should(
    error: Exception, status: int, code: str, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, error)

    answer = post(order(("MUG", 1)))

    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json().keys() == MEMBERS
    assert answer.json()["code"] == code
    assert "bug" not in answer.content.decode()


def test_too_many_orders_are_limited_with_the_time_to_wait(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, OrderLimited("email", 601))

    answer = post(order(("MUG", 1)))

    assert answer.status_code == 429
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Retry-After"] == "601"
    assert answer.json().keys() == MEMBERS | {"limit"}
    assert (answer.json()["code"], answer.json()["limit"]) == ("limited", "email")


def test_busy_says_when_to_come_back(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, ShopBusy(retry_after=7))

    assert post(order(("MUG", 1)))["Retry-After"] == "7"


def test_an_unknown_outcome_says_where_the_order_would_be(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = uuid4()
    failing(monkeypatch, OutcomeUnknown(order_id))

    answer = post(order(("MUG", 1)))

    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert answer.json()["code"] == "outcome_unknown"
    assert answer.json()["status_url"] == f"{settings.SITE_URL}/orders/{order_id}/"


def test_pages_keep_their_own_errors(db: None) -> None:
    answer = Client().get("/no-such-page/")

    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")
