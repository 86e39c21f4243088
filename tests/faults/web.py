"""A web process beside a live shop's own: the same gunicorn, with an entry of the test's.

The entry is loaded before the worker is forked, so that one that dies has its successor at once.
"""

import subprocess

import httpx

from project.local.data_folder import free_port
from project.local.env import ROOT
from project.local.shop import WEB
from tests.concurrency.rush import order_body
from tests.live import LiveShop, wait_until


class Web:
    """One gunicorn worker on a port of its own, serving the module `entry`; `close` it."""

    def __init__(self, shop: LiveShop, entry: str, **environment: str) -> None:
        port = free_port()
        self.url = f"http://localhost:{port}"
        self._gunicorn = subprocess.Popen(
            [*WEB[:-1], "--workers", "1", "--preload", entry],
            env={**shop.env, "PORT": str(port), **environment},
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._answers, seconds=60, what=f"{entry} answers")

    def get(self, path: str, *, seconds: float = 60) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=seconds, trust_env=False)

    def order(self, sku: str, key: str, *, quantity: int = 1) -> httpx.Response | None:
        """Order so many units; None if the process died over it."""
        try:
            return httpx.post(
                f"{self.url}/api/v1/orders",
                json=order_body((sku, quantity)),
                headers={"Idempotency-Key": key},
                timeout=60,
                trust_env=False,
            )
        except httpx.TransportError:
            return None

    def close(self) -> None:
        self._gunicorn.terminate()
        try:
            self._gunicorn.wait(30)
        finally:
            self._gunicorn.kill()

    def _answers(self) -> bool:
        try:
            return self.get("/healthz").is_success
        except httpx.TransportError:
            return False
