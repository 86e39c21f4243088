"""One order's trace through real processes to a collector; and collectors that are away or hang."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import httpx
import pytest

from notifications.models import Notification
from project.local.data_folder import free_port
from project.local.env import without_settings
from tests.brokers import VALKEY, empty_queues
from tests.collector import Collector, Seen, collecting, hanging
from tests.concurrency.trails import HEADERS, lines, place, running_relay
from tests.concurrency.web import web
from tests.concurrency.workers import open_inbox, running_worker
from tests.database import this_database
from tests.factories import add_product
from tests.live import wait_until
from tests.project.conf.production import PRODUCTION

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("live"),
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.timeout(240),
]

CALLERS = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
"""The example of W3C's Trace Context."""
TIMEOUT_SECONDS = 10
"""So long the exporter waits for a collector."""
EMAIL = "ada@example.org"


def variables(collector: str, inbox: str, folder: Path) -> dict[str, str]:
    """Return those of a shop in production that sends its spans to this collector."""
    (folder / "media").mkdir(exist_ok=True)
    return PRODUCTION | {
        "DATABASE_URL": this_database(),
        "CELERY_BROKER_URL": VALKEY,
        "EMAIL_URL": inbox,
        "MEDIA_STORAGE": str(folder / "media"),
        "TRUSTED_PROXY_COUNT": "1",
        "TANDEM_LOCAL": "off",
        "DEBUG": "off",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector,
        "OTEL_EXPORTER_OTLP_TIMEOUT": str(TIMEOUT_SECONDS),
        "OTEL_BSP_SCHEDULE_DELAY": "200",  # ms
        "OTEL_SERVICE_NAME": "tea-shop",
    }


@contextmanager
def delivering(folder: Path, shop: dict[str, str]) -> Iterator[None]:
    """Run a relay and a worker of messages."""
    environment = {**without_settings(os.environ), **shop}
    with (
        running_relay(environment, folder / "relay.log"),
        running_worker("notify", environment=shop, log=folder / "notify.log"),
    ):
        yield


def one(collector: Collector, name: str) -> Seen:
    """Return the span of this name; there is one."""
    wait_until(lambda: collector.named(name), seconds=60, what=f"a span {name!r} comes")
    [found] = collector.named(name)
    return found


def test_one_trace_leads_from_the_click_to_the_delivered_mail(tmp_path: Path) -> None:
    add_product("TEA", stock=10)
    with collecting() as collector, open_inbox() as inbox, empty_queues(VALKEY):
        shop = variables(collector.url, inbox.url, tmp_path)
        with web(tmp_path, log=tmp_path / "web.log", **shop) as started, delivering(tmp_path, shop):
            answer = place(started.url, "TEA", traceparent=CALLERS)
            assert answer.status_code == 201
            wait_until(lambda: inbox.messages, seconds=120, what="the mail is sent")
            send = one(collector, "send")
            job = one(collector, "notification order_placed.email")
            ring = one(collector, "publish notify")
            request = one(collector, "POST api/v1/orders")
            placing = one(collector, "place order")
            batches = [one(collector, f"{name}-writer batch") for name in ("stock", "sales")]

    # The trace.
    assert [each.trace for each in (placing, job, send)] == [request.trace] * 3
    assert (request.parent, request.kind) == ("", "server")
    assert (placing.parent, placing.kind) == (request.id, "internal")
    assert (job.parent, job.kind) == (placing.id, "consumer")
    assert (send.parent, send.kind) == (job.id, "client")
    assert not any(each.failed for each in collector.spans)
    # What works for several has a trace of its own, and links.
    assert all(batch.links == (placing.place,) for batch in batches)
    assert (ring.links, ring.kind) == ((placing.place,), "producer")
    assert job.links == (ring.place,)
    assert len({request.trace, ring.trace, *(batch.trace for batch in batches)}) == 4
    # The times: placed before it was rung, rung before it was sent.
    assert request.began < placing.began < batches[0].ended < placing.ended
    assert placing.began < ring.began < job.began < send.began < send.ended <= job.ended
    # A stranger's trace is none of ours.
    assert CALLERS.split("-")[1] not in {each.trace for each in collector.spans}
    assert {each.resource["service.name"] for each in collector.spans} == {"tea-shop"}
    assert request.resource["tandem.process"] == "web"
    assert (ring.resource["tandem.process"], job.resource["tandem.process"]) == ("relay", "notify")
    assert request.attributes == {
        "http.request.method": "POST",
        "http.route": "api/v1/orders",
        "http.response.status_code": 201,
    }
    assert placing.attributes == {"tandem.order.source": "api", "tandem.order.outcome": "placed"}
    mail = Notification.objects.get(channel="email")
    assert job.attributes["tandem.job.id"] == str(mail.pk)
    assert mail.traceparent.startswith(f"00-{request.trace}-{placing.id}-0")
    # Log lines name the trace.
    [ended] = lines(tmp_path / "notify.log", "job ended")
    assert ended["trace_id"] == request.trace
    # Nothing of the person, and nothing that opens the order.
    sent = b"".join(collector.bodies)
    order = answer.json()
    private = (EMAIL, "Lovelace", order["id"], order["number"], "127.0.0.1")
    assert [each for each in private if each.encode() in sent] == []
    assert b"api/v1/orders" in sent  # the control: such words are found


def test_control_without_what_the_job_keeps_its_mail_is_in_no_trace_of_the_click(
    tmp_path: Path,
) -> None:
    add_product("TEA", stock=10)
    with collecting() as collector, open_inbox() as inbox, empty_queues(VALKEY):
        shop = variables(collector.url, inbox.url, tmp_path)
        with web(tmp_path, log=tmp_path / "web.log", **shop) as started:
            assert place(started.url, "TEA").status_code == 201
            assert Notification.objects.exclude(traceparent="").update(traceparent="") == 1
            with delivering(tmp_path, shop):
                wait_until(lambda: inbox.messages, seconds=120, what="the mail is sent")
                send, request = one(collector, "send"), one(collector, "POST api/v1/orders")
                ring = one(collector, "publish notify")

    assert send.trace != request.trace
    assert ring.links == ()
    linked = {trace for span in collector.spans for trace, _span in span.links}
    assert send.trace not in linked


def test_a_trusted_callers_trace_goes_on(tmp_path: Path) -> None:
    add_product("TEA", stock=10)
    with collecting() as collector, open_inbox() as inbox:
        shop = variables(collector.url, inbox.url, tmp_path) | {"TRACES_TRUSTED": "192.0.2.0/24"}
        with web(tmp_path, log=tmp_path / "web.log", **shop) as started:
            trusted = {"X-Forwarded-For": "192.0.2.7", "traceparent": CALLERS}
            assert place(started.url, "TEA", **trusted).status_code == 201
            request = one(collector, "POST api/v1/orders")

    assert f"00-{request.trace}-{request.parent}-01" == CALLERS


def ordering(url: str) -> list[float]:
    """Place orders one after the other for longer than the exporter waits; return their seconds.

    Without the first ones: a process that has answered nothing yet takes its time.
    """
    for _first in range(8):
        place(url, "TEA")
    took: list[float] = []
    until = time.monotonic() + 1.2 * TIMEOUT_SECONDS
    while time.monotonic() < until or len(took) < 20:
        began = time.monotonic()
        answer = place(url, "TEA")
        took.append(time.monotonic() - began)
        assert answer.status_code == 201
    return took


@pytest.mark.parametrize("collector", ["away", "hanging"])
def test_no_request_waits_for_a_collector(collector: str, tmp_path: Path) -> None:
    add_product("TEA", stock=100_000)
    away = nullcontext(None)
    with hanging() if collector == "hanging" else away as found, open_inbox() as inbox:
        url = found.url if found else f"http://127.0.0.1:{free_port()}"
        shop = variables(url, inbox.url, tmp_path) | {
            # A queue that is full soon.
            "OTEL_BSP_MAX_QUEUE_SIZE": "16",
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "8",
        }
        with web(tmp_path, log=tmp_path / "web.log", **shop) as started:
            took = ordering(started.url)
            stopping = time.monotonic()
        stopped = time.monotonic() - stopping

    print(f"{len(took)} orders, the slowest took {max(took):.3f} s; stopped in {stopped:.1f} s")
    assert max(took) < TIMEOUT_SECONDS / 2
    assert stopped < 15
    if found:
        assert found.let_in > 0


def test_control_a_span_that_its_request_sends_itself_makes_it_wait(tmp_path: Path) -> None:
    add_product("TEA", stock=10)
    with hanging() as collector, open_inbox() as inbox:
        shop = variables(collector.url, inbox.url, tmp_path)
        config: dict[str, Any] = {"config": "python:tests.concurrency.sends_at_once"}
        with web(tmp_path, log=tmp_path / "web.log", **config, **shop) as started:
            began = time.monotonic()
            httpx.get(
                f"{started.url}/api/v1/products",
                headers=HEADERS,
                timeout=60,
                trust_env=False,
            )
            took = time.monotonic() - began

    assert took >= TIMEOUT_SECONDS * 0.9
