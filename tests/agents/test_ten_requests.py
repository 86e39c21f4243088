"""The ten requests of docs/agents.md, as they stand there, against a started shop."""

import re
import subprocess
from pathlib import Path

import pytest

from orders.models import Order
from project.local.env import ROOT
from tests.concurrency.web import web
from tests.factories import add_product

pytestmark = [
    pytest.mark.live,
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
]
ENDS = "echo; echo ----"
"""What stands behind each request, so that its answer can be told from the next one's."""


def script(shop: str) -> str:
    """Return the page's blocks as one script."""
    page = (ROOT / "docs/agents.md").read_text().partition("## Who asks")[0]
    blocks = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 11  # the first one says what the others use
    parts = [block.replace("http://localhost:8000", shop) for block in blocks]
    return "\n".join(["set -eu", parts[0], *(f"{part}{ENDS}" for part in parts[1:])])


def test_each_request_of_the_page_does_what_it_says(tmp_path: Path) -> None:
    add_product("LAMP", stock=3, price="35.00")
    with web(tmp_path, TANDEM_LOCAL="1") as started:
        done = subprocess.run(
            ["bash", "-c", script(started.url)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == 0, done.stdout + done.stderr
    answers = [part.strip() for part in done.stdout.split("----")]
    assert '"2026-04-08"' in answers[0]
    assert '"status": "ready_for_complete"' in answers[6]
    order = Order.objects.get()
    assert (order.door, order.payment_method) == (Order.Source.AGENT, "transfer")
    assert order.address["city"] == "Kiel"
    assert order.delivery
    assert str(order.pk) in answers[8]
    assert '"structuredContent"' in answers[9]
