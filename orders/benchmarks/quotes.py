"""`bench quotes`: three ways to ask several carriers over HTTP, in one run and in turns.

- threads: `ask_all`, as the shop does.
- one by one: the same carriers, each after the other.
- asyncio: an event loop in the one thread of the request, with asyncio's own streams.

The carriers are one process that answers each request after 100 ms. No database is needed.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from notifications.channels import http
from notifications.channels.deadline import Deadline
from orders.quotes.asking import ask_all
from orders.quotes.carrier import Answer
from orders.quotes.carriers.http import HttpCarrier, request_body
from orders.quotes.parcel import Item, Parcel
from orders.quotes.sense import sensible
from orders.quotes.threads import drain
from project.benchmarks import Report
from project.local.data_folder import free_port

CARRIERS = (1, 3, 10)
DELAY = 0.1
ROUNDS = 15
SECONDS = 10.0
"""The deadline here: one by one, ten carriers need more than a shop's."""
PARCEL = Parcel((Item("MUG", 2, 450),), country="DE", postcode="10117", city="Berlin")

LEAST_AGAINST_ONE_BY_ONE = {1: 0.5, 3: 2.0, 10: 5.0}
"""The least ratio of one by one to threads, by the number of carriers."""
MOST_AGAINST_ASYNCIO = 1.5
"""The most that threads may take against asyncio, with ten carriers."""

Ask = Callable[[Sequence[HttpCarrier]], list[Answer]]


def bench_quotes() -> Report:
    """Measure the three ways with 1, 3 and 10 carriers; the median of the rounds counts."""
    ways: dict[str, Ask] = {
        "threads": _in_threads, "one by one": _one_by_one, "asyncio": _by_asyncio,
    }  # fmt: skip
    rows = []
    currency, settings.SHOP_CURRENCY = settings.SHOP_CURRENCY, "EUR"
    try:
        with _slow_carriers(max(CARRIERS)) as carriers:
            for count in CARRIERS:
                took: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
                for _round in range(ROUNDS):
                    for way, ask in ways.items():
                        took[way].append(_measured(ask, carriers[:count]))
                rows += [
                    {
                        "carriers": count,
                        "way": way,
                        "ms": round(median(wall for wall, _cpu in times) * 1000, 1),
                        "slowest_ms": round(max(wall for wall, _cpu in times) * 1000, 1),
                        "cpu_ms": round(median(cpu for _wall, cpu in times) * 1000, 1),
                    }
                    for way, times in took.items()
                ]
    finally:
        settings.SHOP_CURRENCY = currency
        drain()
    return _judge(rows)


def _judge(rows: list[dict[str, Any]]) -> Report:
    took = {(row["carriers"], row["way"]): row["ms"] for row in rows}
    ratios = {
        f"{way} against threads, {count} carriers": round(
            took[count, way] / took[count, "threads"], 2
        )
        for count in CARRIERS
        for way in ("one by one", "asyncio")
    }
    missed = [
        f"one by one takes less than {least:g} times as long as threads with {count} carriers"
        for count, least in LEAST_AGAINST_ONE_BY_ONE.items()
        if took[count, "one by one"] < least * took[count, "threads"]
    ]
    most = max(CARRIERS)
    if took[most, "threads"] > MOST_AGAINST_ASYNCIO * took[most, "asyncio"]:
        missed.append(f"threads take more than {MOST_AGAINST_ASYNCIO:g} times as long as asyncio")
    return Report(rows, ratios, missed)


def _measured(ask: Ask, carriers: Sequence[HttpCarrier]) -> tuple[float, float]:
    """Return the seconds that asking takes: of the clock, and of this process's CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    answers = ask(carriers)
    took = time.perf_counter() - wall, time.process_time() - cpu
    assert [len(answer.quotes) for answer in answers] == [1] * len(carriers), answers
    return took


def _in_threads(carriers: Sequence[HttpCarrier]) -> list[Answer]:
    return list(ask_all(carriers, PARCEL, seconds=SECONDS).values())


def _one_by_one(carriers: Sequence[HttpCarrier]) -> list[Answer]:
    deadline = Deadline(SECONDS)
    return [carrier.ask(PARCEL, deadline) for carrier in carriers]


def _by_asyncio(carriers: Sequence[HttpCarrier]) -> list[Answer]:
    async def all_of_them() -> list[Answer]:
        async with asyncio.timeout(SECONDS):
            return await asyncio.gather(*(_asked(carrier) for carrier in carriers))

    return asyncio.run(all_of_them())


async def _asked(carrier: HttpCarrier) -> Answer:
    url = urlsplit(carrier.url)
    body = json.dumps(request_body(PARCEL)).encode()
    headers = http.json_headers(url, key=str(PARCEL.key(carrier.name)))
    lines = [f"POST {http.target(url)} HTTP/1.1", f"Host: {url.netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "", ""]
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.write("\r\n".join(lines).encode() + body)
    await writer.drain()
    answer = await reader.read()
    writer.close()
    return sensible(carrier.name, json.loads(answer.partition(b"\r\n\r\n")[2])["quotes"])


@contextmanager
def _slow_carriers(count: int) -> Iterator[list[HttpCarrier]]:
    port = free_port()
    # As a file: as a module it would load the shop, which needs its settings.
    program = Path(__file__).with_name("slow_carrier.py")
    server = subprocess.Popen([sys.executable, str(program), str(port), str(DELAY)])
    carriers = [
        HttpCarrier(f"carrier-{number}", f"http://127.0.0.1:{port}/quotes")
        for number in range(count)
    ]
    try:
        _await(carriers[0])
        yield carriers
    finally:
        server.terminate()
        server.wait()


def _await(carrier: HttpCarrier) -> None:
    """Wait until the server answers."""
    deadline = Deadline(30)
    while True:
        try:
            carrier.ask(PARCEL, deadline)
        except Exception:
            deadline.remaining()
            time.sleep(0.05)
        else:
            return
