"""A shop in the test's process: the run's orders go through its API, and a worker does its jobs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import connections
from django.test import Client

from notifications.models import SYNTHETIC, Notification
from orders.performance import load
from orders.performance.load import Plan
from orders.placing.synthetic import RUN_HEADER
from project.jobs.errors import LostClaimError, NotClaimedError
from project.jobs.run import run_job
from tests.factories import new_key


def send(plan: Plan, *, sku: str = "") -> str:
    """Do what `post_order` does, without a server in between."""
    body = load._BODY.replace(load.SKU.encode(), sku.encode()) if sku else load._BODY
    answer = Client(raise_request_exception=False).post(
        load.PATH,
        body,
        content_type="application/json",
        headers={"Idempotency-Key": new_key(), RUN_HEADER: plan.run_pass},
    )
    return "" if answer.status_code == 201 else f"{answer.status_code} {load._code(answer.content)}"


@contextmanager
def worker() -> Iterator[None]:
    """Do the run's jobs while the block lasts."""
    ending = threading.Event()

    def work() -> None:
        queued = Notification.objects.filter(event=SYNTHETIC, status="queued")
        try:
            while not ending.wait(0.05):
                for pk in queued.values_list("pk", flat=True):
                    with suppress(NotClaimedError, LostClaimError):  # taken away meanwhile
                        run_job(Notification, pk)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()
