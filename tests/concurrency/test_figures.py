"""The figures of a real gunicorn with its two processes, as Prometheus reads them."""

import os
import signal
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.concurrency.rush import order_body
from tests.concurrency.web import Web, web
from tests.factories import add_product, new_key
from tests.live import wait_until

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("live"),
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.timeout(240),
]


def figure(started: Web, name: str, **labels: str) -> float:
    """Return the sum of the samples of this name that have these labels."""
    page = httpx.get(f"{started.url}/metrics", timeout=10, trust_env=False)
    assert page.status_code == 200
    return sum(
        sample.value
        for family in text_string_to_metric_families(page.text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def order(started: Web, *lines: tuple[str, int]) -> int:
    """Place an order by a connection of its own, which either process may take."""
    return httpx.post(
        f"{started.url}/api/v1/orders",
        json=order_body(*lines),
        headers={"Idempotency-Key": new_key()},
        timeout=30,
        trust_env=False,
    ).status_code


def folders() -> set[Path]:
    return {*Path("/dev/shm").glob("tandem-figures-*"), *Path("/tmp").glob("tandem-figures-*")}


def test_orders_of_both_processes_are_one_figure_which_a_death_does_not_lessen(
    tmp_path: Path,
) -> None:
    add_product("TEA", stock=60)
    before = folders()
    with web(tmp_path) as started:
        assert [order(started, ("TEA", 1)) for _order in range(60)] == [201] * 60
        assert order(started, ("TEA", 1)) == 409
        placed = {"source": "api", "outcome": "placed"}
        wait_until(
            lambda: figure(started, "tandem_order_requests_total", **placed) == 60,
            seconds=10,
            what="60 orders are counted",
        )
        (folder,) = folders() - before
        # Both took orders; else one figure of two processes would show nothing.
        children = {int(path.stem.rpartition("_")[2]) for path in folder.glob("counter_*.db")}
        assert len(children) == 2
        assert figure(started, "tandem_order_requests_total", outcome="out_of_stock") == 1
        assert figure(started, "tandem_writer_batch_items_sum", writer="stock-writer") == 60
        assert figure(started, "tandem_writer_batch_seconds_count", writer="sales-writer") > 0
        assert (
            figure(started, "tandem_request_seconds_count", route="api/v1/orders", status="2xx")
            == 60
        )
        assert figure(started, "tandem_pool_waiting") == 0
        assert figure(started, "tandem_admission_queue") == 0

        os.kill(min(children), signal.SIGKILL)

        wait_until(
            lambda: not list(folder.glob(f"gauge_live*_{min(children)}.db")),
            seconds=20,
            what="the dead process's gauges are gone",
        )
        assert figure(started, "tandem_order_requests_total", **placed) == 60
    assert not folder.exists()


def test_no_order_is_counted_by_a_start(tmp_path: Path) -> None:
    with web(tmp_path) as started:
        wait_until(lambda: figure(started, "tandem_request_seconds_count") > 0, seconds=20)
        assert figure(started, "tandem_order_requests_total") == 0
