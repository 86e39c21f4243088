"""Prometheus itself asks a running shop, evaluates the alert rules, and answers the dashboard."""

import json
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from project.local.data_folder import free_port
from tests.concurrency.rush import Books, new_key, order_body, rush
from tests.deploy.monitoring import RULES, alerts, expressions, named
from tests.live import LiveShop, wait_until

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(300)]

ONLY_THEN = re.compile(
    r"tandem_(replication_lag_(seconds|bytes)|replica_\w+|(carrier_)?breaker_open"
    r"|writer_deferrals_total|webhook_\w+)"
)
"""What has values only with a standby (tests/cluster/test_lag.py) or a replica, once a channel has
failed or was paused, a carrier was asked, an order had to wait for a locked product, and with a
webhook endpoint."""
LOADED_LATE = {"tandem_carrier_breaker_open", "tandem_replica_reads_total"}
"""Of these even the type is there only once their modules are: carriers', and the desk's lists. The
page has those of all others from the start."""
SAMPLED = re.compile(r"^(tandem_\w+)(?:\{.*\})? ", re.MULTILINE)


class Prometheus:
    """Its answers."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, path: str, **parameters: str) -> Any:
        answer = httpx.get(f"{self.url}{path}", params=parameters, timeout=10, trust_env=False)
        answer.raise_for_status()
        return answer.json()["data"]

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/-/ready", timeout=5, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def rules(self) -> dict[str, Any]:
        groups = self.ask("/api/v1/rules")["groups"]
        return {rule["name"]: rule for group in groups for rule in group["rules"]}

    def state(self, alert: str) -> str:
        return str(self.rules()[alert]["state"])

    def values(self, expression: str) -> list[Any]:
        return list(self.ask("/api/v1/query", query=expression)["result"])


@contextmanager
def prometheus(shop: LiveShop, folder: Path) -> Iterator[Prometheus]:
    """Run a Prometheus that asks this shop every five seconds."""
    program = shutil.which("prometheus") or pytest.skip("prometheus isn't installed")
    (folder / "prometheus.yaml").write_text(
        yaml.safe_dump(
            {
                "global": {"scrape_interval": "5s", "evaluation_interval": "1s"},
                "rule_files": [str(RULES)],
                "scrape_configs": [
                    {
                        "job_name": "tandem",
                        "honor_labels": True,
                        "static_configs": [{"targets": [f"localhost:{shop.port}"]}],
                    }
                ],
            }
        )
    )
    port = free_port()
    with open(folder / "prometheus.log", "ab") as output:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={folder / 'prometheus.yaml'}",
                f"--storage.tsdb.path={folder / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=output,
            stderr=output,
        )
    try:
        started = Prometheus(port)
        wait_until(started.is_ready, seconds=30, what="Prometheus is ready")
        yield started
    finally:
        process.terminate()
        process.wait(20)


def work(shop: LiveShop, books: Books) -> None:
    """Let the shop do what its figures count."""
    sku = books.add_product(stock=100)
    answers = rush(
        shop, [(new_key(), order_body((sku, 1), phone="+4930123456")) for _ in range(8)], clients=8
    )
    assert {answer.status for answer in answers} == {201}
    books.connection.execute(
        "INSERT INTO project_pausedqueue (queue, paused_by) VALUES ('media', 'test')"
        " ON CONFLICT DO NOTHING"
    )
    shop.manage("audit")


def sampled(shop: LiveShop) -> set[str]:
    """Return the names of the series that the page has values of."""
    page = httpx.get(f"{shop.url}/metrics", timeout=10, trust_env=False).text
    return set(SAMPLED.findall(page))


def test_each_series_of_rules_and_dashboard_is_in_a_running_shop_of_two_processes(
    live_shop: LiveShop,
) -> None:
    books = Books(live_shop)
    asked = set().union(*map(named, expressions()))
    try:
        work(live_shop, books)

        def missing() -> set[str]:
            return {name for name in asked - sampled(live_shop) if not ONLY_THEN.match(name)}

        wait_until(lambda: not missing(), seconds=60, what=f"these have values: {missing()}")
        page = httpx.get(f"{live_shop.url}/metrics", timeout=10, trust_env=False).text
        types = set(re.findall(r"^# TYPE (\w+)", page, re.MULTILINE))
        assert {name for name in asked if ONLY_THEN.match(name)} - LOADED_LATE <= types
    finally:
        books.connection.execute("DELETE FROM project_pausedqueue")
        books.close()


def test_prometheus_evaluates_every_rule_and_every_panel_of_a_running_shop(
    live_shop: LiveShop, tmp_path: Path
) -> None:
    books = Books(live_shop)
    of_alerts = {rule["expr"] for rule in alerts()}
    try:
        work(live_shop, books)
        with prometheus(live_shop, tmp_path) as watching:
            wait_until(
                lambda: all(rule["health"] == "ok" for rule in watching.rules().values()),
                seconds=30,
                what="the rules are evaluated",
            )
            assert watching.rules().keys() == {rule["alert"] for rule in alerts()}
            assert watching.values("up") == [
                {**found, "value": [found["value"][0], "1"]} for found in watching.values("up")
            ]
            wait_until(
                lambda: {rule["state"] for rule in watching.rules().values()} <= {"inactive"},
                seconds=60,
                what=f"nothing is wrong: {json.dumps(watching.rules())[:2000]}",
            )
            panels = [each for each in expressions() if each not in of_alerts]

            def empty() -> list[str]:
                """Return the panels that show nothing, though something has happened for them."""
                asked = [each for each in panels if not ONLY_THEN.search(each)]
                return [each for each in asked if not watching.values(each.removesuffix(" > 0"))]

            wait_until(lambda: not empty(), seconds=60, what="each panel has a value")

            # And in one that isn't, it does: the alert waits for its time.
            live_shop.kill("notify", signal.SIGSTOP)
            try:
                wait_until(
                    lambda: watching.state("TandemServiceSilent") == "pending",
                    seconds=60,
                    what="the frozen worker is seen",
                )
                [alert] = watching.rules()["TandemServiceSilent"]["alerts"]
                assert alert["labels"]["service"] == "notify"
            finally:
                live_shop.kill("notify", signal.SIGCONT)
            wait_until(lambda: watching.state("TandemServiceSilent") == "inactive", seconds=60)
    finally:
        books.connection.execute("DELETE FROM project_pausedqueue")
        books.close()
