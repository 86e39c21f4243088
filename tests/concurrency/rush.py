"""Shoppers in parallel against a live shop's API, and a look into its database."""

import asyncio
import logging
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg

from tests.live import LiveShop

logging.getLogger("httpx").setLevel(logging.WARNING)  # a line per request of a rush


@dataclass(frozen=True)
class Answer:
    """What one POST got."""

    status: int
    body: dict[str, Any]
    seconds: float


def order_body(*lines: tuple[str, int], **changes: Any) -> dict[str, Any]:
    """Return the JSON of an order for (sku, quantity) lines."""
    return {
        "name": "Ada Lovelace",
        "email": "ada@example.org",
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines],
        **changes,
    }


def rush(
    shop: LiveShop,
    orders: Iterable[tuple[str, dict[str, Any]]],
    *,
    clients: int = 100,
    patient: bool = False,
) -> list[Answer]:
    """POST all (key, body) orders, `clients` at a time; return the answers in their order.

    Who is `patient` repeats an order that is answered with "busy", after `Retry-After`.
    """
    return asyncio.run(_rush(shop, list(orders), clients, patient))


async def _rush(
    shop: LiveShop, orders: list[tuple[str, dict[str, Any]]], clients: int, patient: bool
) -> list[Answer]:
    turns = asyncio.Semaphore(clients)
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=shop.url, timeout=30, limits=limits) as client:

        async def post(key: str, body: dict[str, Any]) -> Answer:
            async with turns:
                started = time.monotonic()
                while True:
                    response = await client.post(
                        "/api/v1/orders", json=body, headers={"Idempotency-Key": key}
                    )
                    if not patient or response.json().get("code") != "busy":
                        break
                    await asyncio.sleep(float(response.headers["Retry-After"]))
                return Answer(response.status_code, response.json(), time.monotonic() - started)

        return await asyncio.gather(*(post(key, body) for key, body in orders))


def new_key() -> str:
    return secrets.token_urlsafe(24)


class Books:
    """The live shop's database, read and prepared past the application."""

    def __init__(self, shop: LiveShop) -> None:
        self.connection = psycopg.connect(shop.env["DATABASE_URL"], autocommit=True)

    def close(self) -> None:
        self.connection.close()

    def all(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(query, values).fetchall()

    def one(self, query: str, *values: Any) -> Any:
        return self.all(query, *values)[0][0]

    def add_product(self, *, stock: int, price: str = "2.50") -> str:
        """Add a new product and return its SKU."""
        sku = f"RUSH-{secrets.token_hex(4)}"
        product_id = self.one(
            "INSERT INTO orders_product (sku, name, slug, description, price, is_active,"
            " category_id) SELECT %s, %s, %s, '', %s, true, min(id) FROM orders_category"
            " RETURNING id",
            sku,
            sku,
            sku.lower(),
            price,
        )
        self.connection.execute(
            "INSERT INTO orders_stock (product_id, initial, available) VALUES (%s, %s, %s)",
            [product_id, stock, stock],
        )
        self.connection.execute(
            "INSERT INTO orders_productsales (product_id, units, amount) VALUES (%s, 0, 0)",
            [product_id],
        )
        return sku

    def available(self, sku: str) -> int:
        return self.one(
            "SELECT available FROM orders_stock JOIN orders_product ON id = product_id"
            " WHERE sku = %s",
            sku,
        )

    def units_sold(self, sku: str) -> int:
        return self.one(
            "SELECT units FROM orders_productsales JOIN orders_product ON id = product_id"
            " WHERE sku = %s",
            sku,
        )

    def cancel_jobs(self) -> None:
        for table in ("notifications_notification", "media_jobs_mediajob"):
            self.connection.execute(
                f"UPDATE {table} SET status = 'cancelled' WHERE status = 'queued'"
            )

    def connections(self) -> int:
        return self.one("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
