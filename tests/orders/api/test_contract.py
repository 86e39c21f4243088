"""The running API keeps the word of its OpenAPI document: schemathesis asks every operation.

It sends examples, boundary values, random values and chains of calls, right and wrong ones, the
same in each run. No answer may be a 5xx, and each has a status, type, headers and body as the
document says.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.db import connection

from orders.models import ApiAnswer, Order, Product, StockMovement
from tests.clients import api_client, key_of
from tests.concurrency.web import Web, web
from tests.factories import add_product, make_order

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("live"),
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
]

RULES = Path(__file__).with_name("schemathesis.toml")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Web]:
    """A shop that sells what the document's example orders."""
    add_product("MUG-01", stock=100_000)
    with web(tmp_path) as started:
        yield started


def judge(document: str, *options: str, folder: Path) -> tuple[int, str]:
    """Return schemathesis' exit status and what it says; it may keep cases in the folder."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(RULES)),
            *("run", document, "--no-color", *options),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def operations_of(shop: Web) -> int:
    """Return how many operations the document has."""
    paths = httpx.get(f"{shop.url}/api/v1/openapi.json", trust_env=False).json()["paths"]
    return sum(len(operations) for operations in paths.values())


def test_no_request_makes_the_api_break_its_word(shop: Web, tmp_path: Path) -> None:
    status, said = judge(f"{shop.url}/api/v1/openapi.json", folder=tmp_path)

    assert status == 0, said
    assert f"Tested: {operations_of(shop)}" in said
    assert Order.objects.exists()


def test_no_request_with_a_key_makes_the_api_break_its_word(shop: Web, tmp_path: Path) -> None:
    make_order(Product.objects.get(), number=1001)  # of the document's examples
    with connection.cursor() as cursor:  # or the next order would get the same number
        cursor.execute(
            "SELECT setval('orders_order_number', greatest(1001, last_value))"
            " FROM orders_order_number"
        )
    api_client(requests_per_minute=1_000_000)
    key = key_of()

    status, said = judge(
        f"{shop.url}/api/v1/openapi.json",
        *("--header", f"Authorization: Bearer {key}"),
        folder=tmp_path,
    )

    assert status == 0, said
    assert f"Tested: {operations_of(shop)}" in said
    assert ApiAnswer.objects.exclude(answer="").exists() or StockMovement.objects.exists()


def test_control_a_document_that_says_something_else_is_found_out(
    shop: Web, tmp_path: Path
) -> None:
    document = httpx.get(f"{shop.url}/api/v1/openapi.json", trust_env=False).json()
    document["components"]["schemas"]["OrderOut"]["properties"]["number"] = {"type": "integer"}
    untrue = tmp_path / "openapi.json"
    untrue.write_text(json.dumps(document))

    status, said = judge(str(untrue), "--url", shop.url, "--phases", "examples", folder=tmp_path)

    assert status == 1, said
    assert "Response violates schema" in said
