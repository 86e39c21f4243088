"""A performance run in a whole shop, measured by all its processes; a killed one is removed."""

import time
from typing import Any

import psycopg
import pytest

from tests.live import LiveShop, wait_until

pytestmark = [pytest.mark.live, pytest.mark.slow]

PLAN = {"PERFORMANCE_RATE": "10", "PERFORMANCE_SECONDS": "20"}
LEFT = """
    SELECT (SELECT count(*) FROM notifications_notification WHERE event = 'order_synthetic'),
           (SELECT count(*) FROM pg_namespace WHERE nspname = 'performance_run'),
           (SELECT count(*) FROM django_celery_results_taskresult AS result
            WHERE task_name = 'notifications.tasks.send' AND NOT EXISTS (
                SELECT FROM notifications_notification WHERE id::text = task_id))
"""
RUN_NOW = """
    INSERT INTO project_manualrun (id, kind, periodic_task, context)
    SELECT gen_random_uuid(), task, name, '{}' FROM django_celery_beat_periodictask
    WHERE task = 'orders.tasks.performance' AND NOT enabled
"""
ORDERS = """
    SELECT count(*), max(number), (SELECT sum(available) FROM orders_stock),
           (SELECT sum(units) FROM orders_productsales) FROM orders_order
"""


def test_a_run_measures_the_shop_and_one_that_is_killed_leaves_nothing(filled_data: Any) -> None:
    with (
        LiveShop(copy_of=filled_data, environment=PLAN) as shop,
        psycopg.connect(shop.env["DATABASE_URL"], autocommit=True) as session,
    ):

        def ask(statement: str) -> tuple[Any, ...]:
            row = session.execute(statement).fetchone()
            assert row is not None
            return row

        def states() -> list[str]:
            found = session.execute("SELECT state FROM project_performancerun ORDER BY id")
            return [state for (state,) in found.fetchall()]

        shop.manage("audit")
        before, left = ask(ORDERS), ask(LEFT)
        session.execute(RUN_NOW)
        wait_until(lambda: states() == ["done"], seconds=90, what=shop.output()[-3000:])

        placed, errors, p50, p99, jobs, unfinished, job_p50 = ask(
            "SELECT placed, errors, p50, p99, jobs, jobs_unfinished, job_p50"
            " FROM project_performancerun"
        )
        print(f"p50 {p50} ms, p99 {p99} ms, job p50 {job_p50} ms")
        assert (placed, errors, jobs, unfinished) == (200, {}, 200, 0)
        assert 0 < p50 <= p99
        assert job_p50 > 0
        assert (ask(ORDERS), ask(LEFT)) == (before, left)

        session.execute(RUN_NOW)
        wait_until(lambda: ask(LEFT)[0] > 20, seconds=40, what="orders of the second run")
        shop.kill("default")
        killed = time.monotonic()
        # The sweep closes it; the job that was lost with its worker makes the next run.
        wait_until(
            lambda: states()[1] == "interrupted" and (ask(LEFT)[:2] == left[:2] or states()[2:]),
            seconds=90,
            what=str(states()),
        )
        print(f"closed after {time.monotonic() - killed:.0f} s")
        wait_until(lambda: states() == ["done", "interrupted", "done"], seconds=120)

        assert (ask(ORDERS), ask(LEFT)) == (before, left)
        assert "clean" in shop.manage("audit")
