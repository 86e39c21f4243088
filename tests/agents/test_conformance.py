"""The package spck-conformance against a started shop, over TLS 1.3."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from orders.agents.linking.authorizing import hashed
from orders.agents.local_platforms import SUITE
from orders.agents.platforms import platform_of
from orders.agents.versions import READ_ORDERS
from orders.catalogue.products import create_product
from orders.catalogue.variants import create_variant, make_parent
from orders.models import AgentClient, AgentLink, Category, Order, Product, User
from orders.placing.placement import place_order
from orders.placing.request import OrderRequest, RequestedLine
from project.local.data_folder import free_port
from project.relay import Relay
from tests.agents.tls import tls_front
from tests.brokers import VALKEY, application, empty_queues
from tests.concurrency.web import web
from tests.concurrency.workers import database_url, running_relay, running_worker
from tests.factories import new_key

HERE = Path(__file__).parent
PERSON = "person@example.org"
CONFIGS = ("merchant.json", "hooked.json")
"""What holds for any local shop with the data of tests/agents/shop, and what needs the hooks."""
LEAST_CLEAN = 159

pytestmark = [
    pytest.mark.live,
    pytest.mark.timeout(420),
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
]


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
    create_product(
        sku="UCP-MUG",
        name="Mug with a picture",
        slug="ucp-mug",
        category=Category.objects.all()[0],
        price=Decimal(12),
        stock=100,
        personalisation=Product.Personalisation.PICTURE,
        requires_upload=True,
    )
    config = merged(*(json.loads((HERE / name).read_text()) for name in CONFIGS))
    config["identity"]["gated"]["path"] = link_accounts()
    (tmp_path / "config.json").write_text(json.dumps(config))
    front = free_port()
    variables = {
        "TANDEM_LOCAL": "1",
        "SITE_URL": f"https://localhost:{front}",
        "DELIVERY_TABLE": "1",
        "ORDER_LIMITS": "off",
    }
    work = {
        **variables,
        "DATABASE_URL": database_url(),
        "CELERY_BROKER_URL": VALKEY,
    }
    with (
        empty_queues(VALKEY),
        running_worker("notify", environment=work, log=tmp_path / "notify"),
        running_relay(Relay(application(VALKEY))),
        web(
            tmp_path, entry="tests.agents.hooked_web", log=tmp_path / "log", **variables
        ) as started,
        tls_front(port=front, to=started.port, folder=tmp_path),
    ):
        yield f"https://localhost:{front}"
    print((tmp_path / "log").read_text()[-6000:])


def link_accounts() -> str:
    """Let the suite's platform ask for links; return the path of a person's order."""
    suite = platform_of(SUITE)
    returns = ["https://platform.test/callback", "http://127.0.0.1/callback"]
    for client_id, platform, secret in (
        ("suite-agent", suite, ""),
        ("suite-server", suite, hashed("a secret of the tests")),
        ("foreign-client", platform_of("https://platform.test/agent"), ""),
    ):
        AgentClient.objects.create(
            client_id=client_id,
            platform=platform,
            name="Assistant",
            secret_hash=secret,
            redirect_uris=returns,
        )
    person = User.objects.create_user("person", email=PERSON)
    for client in AgentClient.objects.all():  # the suite has no browser in which to consent
        AgentLink.objects.create(
            client=client,
            user=person,
            scopes=[READ_ORDERS],
            redirect_uri=returns[0],
            challenge="",
            refresh_until=datetime.now(UTC) + timedelta(days=1),
        )
    lines = (RequestedLine("UCP-POT", 1),)
    request = OrderRequest(
        source=Order.Source.SHOP, key=new_key(), name="P", email=PERSON, lines=lines
    )
    order = place_order(request).order
    Order.objects.filter(pk=order.pk).update(user=person)
    return f"/ucp/v1/orders/{order.pk}"


def merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return the first config with what the second one adds, at any depth."""
    both = {**one, **other}
    for name in one.keys() & other.keys():
        if isinstance(one[name], dict) and isinstance(other[name], dict):
            both[name] = merged(one[name], other[name])
    return both


def test_no_check_deviates(shop: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(str(Path(sys.executable).parent / "spck-conformance"), "--server", shop),
            *("--config", str(tmp_path / "config.json"), "--json", "--insecure"),
        ],
        capture_output=True,
        text=True,
        timeout=400,
        env={**os.environ, "SSL_CERT_FILE": str(tmp_path / "certificate.pem")},
        check=False,
    )

    (tmp_path / "report.json").write_text(done.stdout)
    report = json.loads(done.stdout)
    summary = report["checks_summary"]
    deviating = [check["id"] for check in report["checks"] if check["status"] == "deviation"]
    assert deviating == []
    assert summary["deviation"] == 0
    assert summary["inconclusive"] == 0
    assert summary["clean"] >= LEAST_CLEAN
