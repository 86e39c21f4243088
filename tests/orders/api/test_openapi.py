"""The API's OpenAPI document, and the page for people. `test_contract` holds the API to it."""

import re

from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client


def test_errors_are_documented_as_problems() -> None:
    schema = Client().get("/api/v1/openapi.json").json()

    answers = schema["paths"]["/api/v1/orders"]["post"]["responses"]

    assert {status for status in answers if status >= "400"} == {
        *("400", "401", "409", "413", "415", "422", "429", "500", "503"),
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
