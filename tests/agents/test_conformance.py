"""The package spck-conformance against a started shop, over TLS 1.3."""

import json
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from orders.catalogue.products import create_product
from orders.catalogue.variants import create_variant, make_parent
from orders.models import Category
from project.local.data_folder import free_port
from tests.agents.tls import tls_front
from tests.concurrency.web import web

HERE = Path(__file__).parent
LEAST_CLEAN = 100

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def shop(tmp_path: Path, settings: Any) -> Iterator[str]:
    """A shop with the data of tests/agents/shop, by its https address."""
    settings.TANDEM_LOCAL = True
    call_command("ucp_load", str(HERE / "shop"))
    shirt = create_product(
        sku="UCP-SHIRT",
        name="Shirt",
        slug="ucp-shirt",
        category=Category.objects.all()[0],
        price=Decimal(20),
    )
    make_parent(shirt.pk, ["Size", "Colour"])
    for size, colour in (("S", "red"), ("M", "red"), ("M", "blue")):
        create_variant(
            parent_id=shirt.pk,
            options=[size, colour],
            sku=f"UCP-SHIRT-{size}-{colour}".upper(),
            price=Decimal(20),
            stock=10,
        )
    front = free_port()
    variables = {
        "TANDEM_LOCAL": "1",
        "SITE_URL": f"https://localhost:{front}",
        "DELIVERY_TABLE": "1",
        "ORDER_LIMITS": "off",
    }
    with (
        web(
            tmp_path, entry="tests.agents.hooked_web", log=tmp_path / "log", **variables
        ) as started,
        tls_front(port=front, to=started.port, folder=tmp_path),
    ):
        yield f"https://localhost:{front}"
    print((tmp_path / "log").read_text()[-6000:])


def test_no_check_deviates(shop: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(str(Path(sys.executable).parent / "spck-conformance"), "--server", shop),
            *("--config", str(HERE / "merchant.json"), "--json", "--insecure"),
        ],
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    Path("/tmp/agentswork/report.json").write_text(done.stdout)
    report = json.loads(done.stdout)
    summary = report["checks_summary"]
    deviating = [check["id"] for check in report["checks"] if check["status"] == "deviation"]
    assert deviating == []
    assert summary["deviation"] == 0
    assert summary["inconclusive"] == 0
    assert summary["clean"] >= LEAST_CLEAN
