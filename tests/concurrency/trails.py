"""An order at a web process set up as in production, its relay, and the lines of their logs."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from project.local.env import ROOT
from tests.concurrency.rush import order_body
from tests.factories import new_key
from tests.project.conf.production import PRODUCTION

HEADERS = {"Host": PRODUCTION["ALLOWED_HOSTS"], "X-Forwarded-Proto": "https"}


@contextmanager
def running_relay(environment: dict[str, str], log: Path) -> Iterator[None]:
    with open(log, "ab") as output:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "relay"],
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def lines(log: Path, event: str) -> list[dict[str, Any]]:
    """Return the JSON lines of this event."""
    found = []
    for line in log.read_text().splitlines():
        if line.startswith("{"):
            read = json.loads(line)
            if read["event"] == event:
                found.append(read)
    return found


def place(url: str, sku: str, **headers: str) -> httpx.Response:
    return httpx.post(
        f"{url}/api/v1/orders",
        json=order_body((sku, 1)),
        headers={**HEADERS, "Idempotency-Key": new_key(), **headers},
        timeout=30,
        trust_env=False,
    )
