"""A client that openapi-python-client makes of the document is compiled, and works with a shop."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from orders.models import Order, Stock
from tests.clients import key_of
from tests.concurrency.web import Web, web
from tests.factories import add_product, make_order, new_key

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("live"),
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
]
PACKAGE = "tandem_client"
CONFIG = f"""\
project_name_override: tandem-client
package_name_override: {PACKAGE}
post_hooks: []
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Web]:
    with web(tmp_path) as started:
        yield started


@pytest.fixture
def made(shop: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the client's package, which can be imported until the test ends."""
    document = tmp_path / "openapi.json"
    document.write_bytes(httpx.get(f"{shop.url}/api/v1/openapi.json", trust_env=False).content)
    config, folder = tmp_path / "config.yml", tmp_path / "client"
    config.write_text(CONFIG)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate"),
            *("--path", str(document), "--config", str(config)),
            *("--output-path", str(folder), "--fail-on-warning"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    monkeypatch.syspath_prepend(str(folder))
    return folder / PACKAGE


def part(name: str) -> ModuleType:
    return importlib.import_module(f"{PACKAGE}.{name}")


def test_every_module_of_it_compiles(made: Path) -> None:
    modules = sorted(made.rglob("*.py"))

    for path in modules:
        inner = path.relative_to(made.parent).with_suffix("")
        importlib.import_module(".".join(inner.parts).removesuffix(".__init__"))

    assert len(modules) > 50


def test_it_takes_an_order_its_whole_way(shop: Web, made: Path) -> None:
    order = make_order(add_product("MUG", price="9.90", stock=8), address={"country": "GB"})
    models: Any = part("models")
    with part("client").AuthenticatedClient(base_url=shop.url, token=key_of()) as client:
        page = part("api.orders.list_orders").sync(client=client, status="placed")
        [found] = page.items
        options = {"order": found.number, "client": client}
        paid = part("api.orders.pay_order").sync(
            **options,
            idempotency_key=new_key(),
            body=models.PayIn(
                method=models.PayInMethod.TRANSFER, reference="TX1", amount=found.due
            ),
        )
        part("api.orders.pack_order").sync(**options, idempotency_key=new_key())
        shipped = part("api.orders.ship_order").sync(
            **options, idempotency_key=new_key(), body=models.ShipIn(carrier="DHL")
        )
        refunded = part("api.orders.refund_order").sync_detailed(
            **options, idempotency_key=new_key(), body=models.RefundIn(restock=True)
        )
        counted = part("api.stock.count_stock").sync(
            client=client,
            idempotency_key=new_key(),
            body=models.CountIn(sku="MUG", counted=5, reason="Shelf"),
        )
        written = part("api.products.write_products").sync(
            client=client,
            body=models.ProductsIn(
                items=[models.ProductIn(sku="MUG", price="8.00"), models.ProductIn(sku="X")]
            ),
        )
        refused = part("api.orders.pack_order").sync(**options, idempotency_key=new_key())

    assert (found.id, found.customer.name) == (order.pk, "Ada Lovelace")
    assert (paid.status, paid.due, shipped.status) == ("paid", "0.00", "shipped")
    assert (refunded.parsed.status, refunded.parsed.refunded) == ("refunded", "19.80")
    assert refunded.headers["RateLimit"].startswith('"client";r=')
    assert counted.quantity == -5
    assert [item.outcome for item in written.items] == ["changed", "refused"]
    assert {error.field for error in written.items[1].errors} == {"name", "category", "price"}
    assert (refused.status, refused.code, refused.order_status) == (409, "wrong_status", "refunded")
    mug = Stock.objects.select_related("product").get()
    assert (mug.available, mug.product.price) == (5, Decimal("8.00"))
    assert Order.objects.get().status == "refunded"


def test_control_without_a_key_it_is_told_to_send_one(shop: Web, made: Path) -> None:
    with part("client").Client(base_url=shop.url) as client:
        answer = part("api.orders.list_orders").sync_detailed(client=client)

    assert (answer.status_code, answer.parsed.code) == (401, "key_needed")
