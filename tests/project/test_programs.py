"""What requests of programs pass, and that their answers have a page's headers."""

import json

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils.module_loading import import_string

from project.programs import ProgramMiddleware, is_of_a_program
from tests.factories import new_key

HEADERS = {
    "Content-Security-Policy",
    "X-Frame-Options",
    "X-Content-Type-Options",
    "Referrer-Policy",
    "Cross-Origin-Opener-Policy",
    "Content-Language",
    "Vary",
    "Content-Length",
}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/healthz", "/api/v1/products", "/api/v1/products/NONE", "/api/nowhere"]
)
def test_the_answers_to_programs_have_the_headers_of_pages(path: str) -> None:
    page, answer = Client().get("/readyz"), Client().get(path)

    assert set(answer.headers) >= HEADERS
    for name in HEADERS - {"Vary", "Content-Length"}:
        assert answer.headers[name] == page.headers[name]
    assert "Accept-Language" in answer.headers["Vary"]
    assert "Set-Cookie" not in answer.headers


@pytest.mark.django_db
def test_a_program_is_refused_in_its_language_at_a_known_host_only() -> None:
    client = Client(headers={"accept-language": "zh-hans", "idempotency-key": new_key()})

    refused = client.post("/api/v1/orders", json.dumps({}), content_type="application/json")
    strange = client.get("/healthz", headers={"host": "not a host"})

    assert refused.headers["Content-Language"] == "zh-hans"
    assert {error["message"] for error in refused.json()["errors"]} == {"此项为必填。"}
    assert strange.status_code == 400


@pytest.mark.parametrize("path", ["/api/v1/docs", "/", "/readyz", "/admin/", "/healthz/more"])
def test_a_page_for_people_passes_the_middleware_of_pages(path: str) -> None:
    assert not is_of_a_program(path)


def test_a_program_meets_nothing_of_a_page() -> None:
    def page(request: HttpRequest) -> HttpResponse:
        raise AssertionError("the middleware of pages")

    answer = ProgramMiddleware(page)(RequestFactory().get("/healthz"))

    assert answer.status_code == 200


@pytest.mark.parametrize("name", settings.PROGRAM_MIDDLEWARE)
def test_what_programs_pass_has_nothing_that_only_djangos_handler_calls(name: str) -> None:
    middleware = import_string(name)

    for hook in ("process_view", "process_exception", "process_template_response"):
        assert not hasattr(middleware, hook)
