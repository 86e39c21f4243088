"""The performance run: what it measures, what ends it, and that nothing of it is left."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, connections
from django.db.models.functions import Now
from django.test import Client

from notifications.models import SYNTHETIC, MessageHtml, Notification
from orders.models import Order, Product, ProductSales, Stock, StockMovement
from orders.performance import figures, leftovers, load, run, tables
from orders.performance.leftovers import tidy_performance
from orders.performance.load import Plan
from orders.performance.run import run_performance
from orders.placing import placement
from orders.placing.draft import Draft
from orders.placing.placement import Placement, place_order
from orders.placing.synthetic import sign_pass
from orders.reports.figures import read_figures
from project.database.advisory_lock import try_lock
from project.database.clock import database_now
from project.database.run_schema import SCHEMA
from project.models import PerformanceRun
from project.monitoring.audit import run_audit
from tests.factories import add_product, order_request
from tests.live import wait_until
from tests.orders.performance.shop import send, worker

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer", "performance"]),
    pytest.mark.usefixtures("writers"),
]

State = PerformanceRun.State


@pytest.fixture(autouse=True)
def short_run(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.PERFORMANCE_RATE, settings.PERFORMANCE_SECONDS = 20, 1
    monkeypatch.setattr(load, "post_order", send)
    monkeypatch.setattr(load, "LOOK", 0.1)
    monkeypatch.setattr(figures, "JOB_PATIENCE", 10.0)
    monkeypatch.setattr(leftovers, "RESULT_SECONDS", 0.0)
    yield
    tables.drop_tables()


def has_tables() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regnamespace(%s) IS NOT NULL", [SCHEMA])
        return bool(cursor.fetchone()[0])


def shop_rows() -> list[list[Any]]:
    models = (Order, Product, Stock, StockMovement, ProductSales, Notification, MessageHtml)
    return [list(model.objects.order_by("pk").values()) for model in models]


def test_a_run_stores_its_figures_and_leaves_the_shop_as_it_was() -> None:
    add_product("MUG", stock=5)
    place_order(order_request(("MUG", 1)))
    before = shop_rows()

    with worker():
        result = run_performance()

    row: Any = PerformanceRun.objects.get()
    assert (row.state, row.sent, row.placed, row.errors) == (State.DONE, 20, 20, {})
    assert result == {"orders": 20, "p99": row.p99}
    assert 0 < row.p50 <= row.p95 <= row.p99
    assert (row.jobs, row.jobs_unfinished) == (20, 0)
    assert 0 < row.job_p50 <= row.job_p99
    assert row.rate_reached > 10
    assert shop_rows() == before
    assert not has_tables()
    assert mail.outbox == []


def test_beside_real_orders_the_audit_is_clean_and_the_reports_have_only_those(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    mug = add_product("MUG", stock=50, price="10.00")
    seen: list[Any] = []

    def send_beside(plan: Plan) -> str:
        error = send(plan)
        if len(seen) < 5:
            place_order(order_request(("MUG", 1)))
            audit = run_audit()
            figures_now = read_figures(database_now().date())
            seen.append((audit.is_clean, figures_now.orders))
        return error

    monkeypatch.setattr(load, "post_order", send_beside)
    monkeypatch.setattr(load, "THREADS", 1)
    with worker():
        run_performance()

    assert PerformanceRun.objects.get().placed == 20
    assert seen == [(True, number) for number in range(1, 6)]
    assert run_audit().is_clean
    assert Stock.objects.get().available == 45
    assert ProductSales.objects.get(product=mug).units == 5
    numbers = sorted(Order.objects.values_list("number", flat=True))
    assert numbers == list(range(numbers[0], numbers[0] + 5))


def test_the_desk_lists_no_message_of_a_run(admin_client: Client) -> None:
    Notification.objects.create(
        event=SYNTHETIC, kind="x", channel="email", recipient="a@example.org", language="en"
    )

    for page in ("/admin/notifications/notification/", "/admin/jobs/"):
        assert "a@example.org" not in admin_client.get(page).content.decode()


def test_a_pass_orders_nothing_but_the_runs_product() -> None:
    add_product("MUG")
    tables.create_tables(orders=5)
    plan = Plan(rate=1, seconds=1, run_pass=sign_pass(1))

    assert send(plan, sku="MUG") == "422 invalid"
    assert send(plan) == ""
    assert Order.objects.count() == 0
    assert StockMovement.objects.count() == 0


def test_without_a_pass_nobody_orders_the_runs_product() -> None:
    tables.create_tables(orders=5)

    assert send(Plan(rate=1, seconds=1, run_pass="")) == "422 invalid"
    assert send(Plan(rate=1, seconds=1, run_pass="1:forged")) == "422 invalid"


def test_a_pass_of_a_run_that_has_ended_finds_no_table_of_the_shop() -> None:
    add_product(tables.SKU)

    assert send(Plan(rate=1, seconds=1, run_pass=sign_pass(1))) == "422 invalid"
    assert Order.objects.count() == 0


def place_late(monkeypatch: pytest.MonkeyPatch) -> str:
    """Place an order whose run is removed before the writers get it; return what went wrong.

    Their connections are open by then, and a product of the shop has the ids of the run's.
    """
    add_product(tables.SKU, stock=5, id=tables.PRODUCT_ID)
    tables.create_tables(orders=5)
    plan = Plan(rate=1, seconds=1, run_pass=sign_pass(1))
    assert send(plan) == ""
    write = placement.submit

    def submit_late(draft: Draft) -> Placement:
        tables.drop_tables()
        return write(draft)

    monkeypatch.setattr(placement, "submit", submit_late)
    return send(plan)


def test_the_writers_of_a_run_find_no_table_of_the_shop_once_the_run_is_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert place_late(monkeypatch) == "500 placement_failed"

    assert Order.objects.count() == 0
    assert Stock.objects.get().available == 5


def test_control_with_the_shops_schema_in_the_path_a_late_order_is_the_shops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = connections.settings["performance"]["OPTIONS"]
    monkeypatch.setitem(options, "options", f"-c search_path={SCHEMA},public")

    assert place_late(monkeypatch) == ""

    assert Order.objects.count() == 1
    assert Stock.objects.get().available == 4


def test_it_refuses_while_shoppers_order(settings: Any) -> None:
    settings.PERFORMANCE_MOST_TRAFFIC = 1
    add_product("MUG")
    for _order in range(2):
        place_order(order_request(("MUG", 1)))

    result = run_performance()

    row = PerformanceRun.objects.get()
    assert (row.state, row.traffic, row.sent) == (State.REFUSED, 2, 0)
    assert result["refused"] is True
    assert not has_tables()


def test_it_gives_way_to_shoppers(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PERFORMANCE_MOST_TRAFFIC, settings.PERFORMANCE_SECONDS = 0, 60
    add_product("MUG")
    placed = threading.Event()

    def send_beside(plan: Plan) -> str:
        if not placed.is_set():
            placed.set()
            place_order(order_request(("MUG", 1)))
        return send(plan)

    monkeypatch.setattr(load, "post_order", send_beside)
    run_performance()

    row = PerformanceRun.objects.get()
    assert (row.state, row.traffic) == (State.GAVE_WAY, 1)
    assert row.sent < 1200
    assert not has_tables()


def test_the_button_stops_it(settings: Any, admin_client: Client, admin_user: Any) -> None:
    settings.PERFORMANCE_SECONDS = 60
    thread = threading.Thread(target=run_and_close)
    thread.start()
    wait_until(lambda: Notification.objects.filter(event=SYNTHETIC).exists(), seconds=20)

    pk = PerformanceRun.objects.get().pk
    answer = admin_client.post(f"/admin/project/performancerun/{pk}/stop/")
    thread.join(20)

    row = PerformanceRun.objects.get()
    assert answer.status_code == 302
    assert not thread.is_alive()
    assert (row.state, row.stopped_by) == (State.STOPPED, admin_user)
    assert 0 < row.sent < 1200
    assert not has_tables()
    assert not Notification.objects.exists()


def run_and_close() -> None:
    try:
        run_performance()
    finally:
        connections.close_all()


def test_many_errors_end_it(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PERFORMANCE_RATE, settings.PERFORMANCE_SECONDS = 50, 60
    monkeypatch.setattr(load, "post_order", lambda _plan: "503 busy")

    run_performance()

    row = PerformanceRun.objects.get()
    assert row.state == State.FAILED
    assert row.errors.keys() == {"503 busy"}
    assert row.sent < 1000
    assert row.p99 is None


def test_an_error_of_the_run_itself_is_kept_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_sender: object) -> None:
        raise RuntimeError("no room")

    monkeypatch.setattr(load.Sender, "run", fail)

    run_performance()

    row = PerformanceRun.objects.get()
    assert (row.state, row.reason) == (State.FAILED, "RuntimeError: no room")
    assert not has_tables()


def test_one_runs_at_a_time() -> None:
    with try_lock(leftovers.LOCK):
        assert run_performance() == {"skipped": True}

    PerformanceRun.objects.create(rate=1, seconds=1)
    with pytest.raises(IntegrityError):
        PerformanceRun.objects.create(rate=1, seconds=1)


def leave_a_dead_run() -> PerformanceRun:
    """Write what a process leaves that is killed in the middle."""
    dead = PerformanceRun.objects.create(rate=5, seconds=60)
    tables.create_tables(orders=5)
    assert send(Plan(rate=1, seconds=1, run_pass=sign_pass(dead.pk))) == ""
    assert Notification.objects.count() == 1
    return dead


def test_the_next_run_removes_what_a_killed_one_left() -> None:
    dead = leave_a_dead_run()

    with worker():
        run_performance()

    dead.refresh_from_db()
    assert dead.state == State.INTERRUPTED
    assert PerformanceRun.objects.first().state == State.DONE
    assert not Notification.objects.exists()
    assert not has_tables()


def test_control_a_run_that_removes_nothing_before_it_can_not_begin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leave_a_dead_run()
    PerformanceRun.objects.update(state=State.INTERRUPTED, finished_at=Now())
    monkeypatch.setattr(run, "close_dead", lambda: None)

    run_performance()

    row: Any = PerformanceRun.objects.first()
    assert row.state == State.FAILED
    assert "already exists" in row.reason


def test_the_sweep_removes_what_a_killed_run_left_and_leaves_a_living_one_alone() -> None:
    dead = leave_a_dead_run()

    with try_lock(leftovers.LOCK):
        assert tidy_performance() is None
        assert has_tables()
    assert tidy_performance() == "1 interrupted"

    dead.refresh_from_db()
    assert dead.state == State.INTERRUPTED
    assert not Notification.objects.exists()
    assert not has_tables()
    assert tidy_performance() is None
