"""The API's OpenAPI document, and the page for people. `test_contract` holds the API to it."""

import re

from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator


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


def test_the_document_is_one_of_openapi() -> None:
    document = Client().get("/api/v1/openapi.json").json()

    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_every_keyed_operation_has_words_and_examples_that_fit() -> None:
    document = Client().get("/api/v1/openapi.json").json()
    schemas = document["components"]["schemas"]
    bare = set()

    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if "security" not in operation:
                continue
            bodies = [operation["responses"]["200"]]
            bodies += [operation["requestBody"]] if "requestBody" in operation else []
            names = [body["content"]["application/json"]["schema"]["$ref"] for body in bodies]
            found = [schemas[name.rpartition("/")[2]] for name in names]
            if not operation.get("description") or not all(each.get("examples") for each in found):
                bare.add((method, path))
            for schema in found:
                for example in schema.get("examples", ()):
                    OAS31Validator(schema | {"components": document["components"]}).validate(
                        example
                    )

    assert bare == set()
