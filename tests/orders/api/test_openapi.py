"""The API answers as its own OpenAPI document says."""

import re
from typing import Any

import pytest
import schemathesis
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.wsgi import get_wsgi_application
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as bounds
from hypothesis.strategies import SearchStrategy
from schemathesis.checks import CHECKS, load_all_checks

from tests.factories import add_product

load_all_checks()


@pytest.mark.django_db(transaction=True, databases=["default", "writer"])
@pytest.mark.usefixtures("writers")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/products"),
        ("GET", "/api/v1/products/{sku}"),
        ("POST", "/api/v1/orders"),
        ("GET", "/api/v1/orders/{order_id}"),
        ("POST", "/api/v1/uploads"),
    ],
)
def test_no_input_makes_the_api_break_its_word(method: str, path: str) -> None:
    add_product("MUG-01")
    document = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
    # Good data by the document may still be a product that isn't there.
    excluded: Any = [CHECKS.get_one("positive_data_acceptance")]

    @bounds(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=document[path][method].as_strategy() | _wrong(document[path][method]))
    def keeps_its_word(case: schemathesis.Case) -> None:
        case.call_and_validate(excluded_checks=excluded)

    keeps_its_word()


def _wrong(operation: Any) -> SearchStrategy[schemathesis.Case]:
    return operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)


def test_errors_are_documented_as_problems() -> None:
    schema = Client().get("/api/v1/openapi.json").json()

    answers = schema["paths"]["/api/v1/orders"]["post"]["responses"]

    assert {status for status in answers if status >= "400"} == {
        *("400", "409", "413", "415", "422", "429", "500", "503"),
    }
    for status, answer in answers.items():
        expected = "application/problem+json" if status >= "400" else "application/json"
        assert list(answer["content"]) == [expected]


def test_the_docs_page_loads_nothing_from_elsewhere_and_runs_under_the_shops_policy() -> None:
    answer = Client().get("/api/v1/docs")

    page = answer.content.decode()
    loaded = re.findall(r'<(?:script|link)[^>]*(?:src|href)="([^"]+)"', page)
    assert answer.status_code == 200
    assert len(loaded) >= 3
    assert all(finders.find(url.removeprefix(settings.STATIC_URL)) for url in loaded)
    assert "'unsafe" not in answer["Content-Security-Policy"]
    assert "<style" not in page
    assert re.findall(r"<script(?![^>]*(?:src=|type=.application/json))", page) == []
