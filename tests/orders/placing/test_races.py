"""Races, on real connections. Each has a control: with the guard taken out it must fail."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection

from orders.models import Order, ProductSales, SalesEntry, Stock, User
from orders.placing import placement
from orders.placing import settle as settle_module
from orders.placing.errors import OutOfStock, PlacementFailed, ShopBusy
from orders.placing.placement import Placement, place_order
from orders.placing.row_locks import RowLocks
from orders.placing.sales_writer import Count, SalesWriter
from orders.placing.settle import settle, settle_due
from orders.placing.writers import writers
from project.models import Sweep
from project.monitoring.audit import run_audit
from project.schedule import passes
from project.schedule.passes import UnfinishedError
from tests.database import this_database
from tests.factories import add_product, new_key, order_request
from tests.order_states import make_old
from tests.orders.placing.threads import cut_writers, wait_until
from tests.races import at_once, locked, without_constraint
from tests.time_bounds import stretched

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])


def sold(sku: str) -> int:
    return ProductSales.objects.get(product__sku=sku).units


# ── Oversell ────────────────────────────────────────────────────────────────────────────────
def test_two_hundred_orders_for_fifty_units_place_exactly_fifty(two_processes: None) -> None:
    add_product("HOT", stock=50)

    outcomes = at_once([order_request(("HOT", 1)) for _ in range(200)])

    assert sum(isinstance(outcome, Placement) for outcome in outcomes) == 50
    assert sum(isinstance(outcome, OutOfStock) for outcome in outcomes) == 150
    assert Stock.objects.get().available == 0
    assert wait_until(lambda: sold("HOT") == 50, seconds=30)


def test_control_without_the_row_lock_the_rush_goes_wrong(
    two_processes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_product("HOT", stock=50)
    unlocked = RowLocks.acquire

    def acquire(self: RowLocks, connection: Any, product_ids: Any) -> Any:
        self._wait = self._skip = self._read
        answer = unlocked(self, connection, product_ids)
        time.sleep(0.2)  # widens the window that the lock closes
        return answer

    monkeypatch.setattr(RowLocks, "acquire", acquire)
    with without_constraint(Stock, "stock_available_is_not_negative"):
        outcomes = at_once([order_request(("HOT", 1)) for _ in range(200)])
        Stock.objects.filter(available__lt=0).update(available=0)

    assert sum(isinstance(outcome, Placement) for outcome in outcomes) > 50


# ── One order per key ───────────────────────────────────────────────────────────────────────
def test_one_key_twenty_times_at_once_is_one_order(two_processes: None) -> None:
    add_product("TEA", stock=100)
    key = new_key()

    outcomes = at_once([order_request(("TEA", 1), key=key) for _ in range(20)], clients=20)

    assert {outcome.order.pk for outcome in outcomes} == {Order.objects.get().pk}
    assert sum(not outcome.replayed for outcome in outcomes) == 1
    assert Stock.objects.get().available == 99
    assert wait_until(lambda: sold("TEA") == 1, seconds=30)


def test_one_key_with_two_bodies_at_once_is_one_order_and_clear_refusals(
    two_processes: None,
) -> None:
    add_product("TEA")
    add_product("CUP")
    for _round in range(10):
        key = new_key()
        requests = [order_request((sku, 1), key=key) for sku in ("TEA", "CUP") for _ in range(5)]

        outcomes = at_once(requests, clients=10)

        kinds = [type(outcome).__name__ for outcome in outcomes]
        assert kinds.count("Placement") == 5, kinds
        assert kinds.count("KeyReused") == 5, kinds
    assert Order.objects.count() == 10
    sweep()
    assert sold("TEA") + sold("CUP") == 10


def test_a_repeat_racing_the_order_that_takes_the_last_unit_gets_it(
    two_processes: None,
) -> None:
    add_product("LAST", stock=0)
    for _round in range(25):
        Stock.objects.update(available=1)
        key = new_key()

        outcomes = at_once([order_request(("LAST", 1), key=key) for _ in range(4)], clients=4)

        assert all(isinstance(outcome, Placement) for outcome in outcomes), outcomes
    assert wait_until(lambda: sold("LAST") == 25, seconds=30)


def test_control_without_the_second_look_a_repeat_hears_sold_out(
    two_processes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_product("LAST", stock=1)
    first_look_up = placement.look_up
    request = order_request(("LAST", 1))
    looks = 0

    def look(*, order_ids: Any, skus: Any, **more: Any) -> Any:
        nonlocal looks
        looks += 1
        if not skus:  # the second look
            return None, {}
        answer = first_look_up(order_ids=order_ids, skus=skus, **more)
        if looks == 1:
            # The other request places the order between our look and our submission.
            connection.close()
            monkeypatch.setattr(placement, "look_up", first_look_up)
            place_order(request)
            monkeypatch.setattr(placement, "look_up", look)
            return None, {sku: replace(offer, available=0) for sku, offer in answer[1].items()}
        return answer

    monkeypatch.setattr(placement, "look_up", look)

    with pytest.raises(OutOfStock):
        place_order(request)


def test_a_refusal_is_looked_at_again_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    add_product("LAST", stock=1)
    request = order_request(("LAST", 1))
    first_look_up = placement.look_up

    def look_too_early(*, order_ids: Any, skus: Any, **more: Any) -> Any:
        answer = first_look_up(order_ids=order_ids, skus=skus, **more)
        monkeypatch.setattr(placement, "look_up", first_look_up)
        place_order(request)  # the racing twin, between this look and its verdict
        sold_out = {sku: replace(offer, available=0) for sku, offer in answer[1].items()}
        return answer[0], sold_out

    monkeypatch.setattr(placement, "look_up", look_too_early)

    assert place_order(request).replayed


# ── Crossing baskets ────────────────────────────────────────────────────────────────────────
def test_baskets_in_opposite_order_never_deadlock(two_processes: None) -> None:
    add_product("A", stock=100_000)
    add_product("B", stock=100_000)
    requests = [
        order_request(*(lines if number % 2 else reversed(lines)))
        for number in range(600)
        for lines in [(("A", 1), ("B", 1))]
    ]

    outcomes = at_once(requests)

    assert all(isinstance(outcome, Placement) for outcome in outcomes)
    assert wait_until(lambda: sold("A") == sold("B") == 600, seconds=30)


# ── Sales that fail ─────────────────────────────────────────────────────────────────────────


def sweep() -> None:
    """Do what the relay does within half a minute, once everything submitted is applied."""
    for threads in (writers(), placement.writers(), placement.writers()):
        end = time.monotonic() + 20
        threads.sales.submit(Count(UUID(int=0), {}), deadline=end).result(grace=5)
    make_old()
    settle_due()


def test_a_failing_sales_thread_never_fails_the_order_and_the_sweep_mends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_product("TEA")
    healthy = writers().sales.apply

    def broken(connection: Any, requests: Any) -> Any:
        raise ZeroDivisionError("sales are broken")

    monkeypatch.setattr(writers().sales, "apply", broken)
    placed = place_order(order_request(("TEA", 2)))
    assert Order.objects.get().pk == placed.order.pk
    assert sold("TEA") == 0  # the control: without the sweep, sales are wrong
    monkeypatch.setattr(writers().sales, "apply", healthy)
    make_old()

    assert settle_due() == 1

    assert sold("TEA") == 2
    assert run_audit().is_clean


def test_a_sales_connection_that_is_cut_is_replaced() -> None:
    add_product("TEA")
    place_order(order_request(("TEA", 1)))
    cut_writers()

    place_order(order_request(("TEA", 1)))

    assert wait_until(lambda: sold("TEA") == 2, seconds=30)
    assert Stock.objects.get().available == 98


def test_a_count_left_over_by_a_crash_is_settled_to_nothing() -> None:
    product = add_product("TEA")
    order_id = order_request(("TEA", 1)).key  # any id that no order has
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orders_salesentry (order_id, product_id, units, amount, changed_at)"
            " VALUES (md5(%s)::uuid, %s, 3, 7.50, now() - interval '15 s')",
            [order_id, product.pk],
        )
        cursor.execute("UPDATE orders_productsales SET units = 3, amount = 7.50")

    assert settle_due() == 1

    assert sold("TEA") == 0
    assert not SalesEntry.objects.exists()


def leftovers(count: int) -> None:
    """Write sales of so many orders that don't exist, each of a product of its own."""
    for number in range(count):
        product = add_product(f"TEA{number}")
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO orders_salesentry (order_id, product_id, units, amount, changed_at)"
                " VALUES (md5(%s)::uuid, %s, 3, 7.50, now() - interval '15 s')",
                [str(number), product.pk],
            )
    ProductSales.objects.update(units=3, amount="7.50")


def test_after_a_week_away_settle_goes_on_in_steps_and_keeps_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settle_module, "PAGE_SIZE", 2)
    monkeypatch.setattr(passes, "RUN_SECONDS", 0.0)
    leftovers(5)
    sizes: list[int] = []
    real = settle_module._differing

    def differing(order_ids: Any) -> Any:
        sizes.append(len(order_ids))
        return real(order_ids)

    monkeypatch.setattr(settle_module, "_differing", differing)

    settled = [settle_due() for _run in range(3)]

    assert settled == [2, 2, 1]  # a run of one page each, and none reads a page twice
    assert sizes == [2, 2, 1]
    assert Sweep.objects.get(name="settle_due").done_until is not None


def test_sales_that_somebody_has_locked_stop_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle_module, "PAGE_SIZE", 2)
    leftovers(5)
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT FROM orders_productsales ORDER BY product_id LIMIT 3 FOR UPDATE")
        with pytest.raises(UnfinishedError, match="3 orders wait: locked"):
            settle_due()
        cursor.execute("ROLLBACK")
    other.close()
    assert SalesEntry.objects.count() == 3

    assert settle_due() == 3
    assert not SalesEntry.objects.exists()


def test_sales_that_cannot_be_settled_stop_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    leftovers(3)
    apply = SalesWriter.apply
    bad = SalesEntry.objects.order_by("order_id")[1].order_id

    def breaking(writer: SalesWriter, connection: Any, requests: Any) -> Any:
        if any(request.order_id == bad for request in requests):
            raise ZeroDivisionError
        return apply(writer, connection, requests)

    with monkeypatch.context() as patch:
        patch.setattr(SalesWriter, "apply", breaking)
        with pytest.raises(UnfinishedError, match="1 orders wait"):
            settle_due()
    assert SalesEntry.objects.get().order_id == bad

    assert settle_due() == 1


def test_a_late_settle_of_a_placed_order_changes_nothing() -> None:
    add_product("TEA")
    placed = place_order(order_request(("TEA", 2)))

    settle(placed.order.pk)

    marker = writers().sales.submit(Count(placed.order.pk, {}), deadline=time.monotonic() + 5)
    marker.result(grace=1)
    assert sold("TEA") == 2


def test_sales_follow_when_a_refusal_races_an_accepted_repeat(two_processes: None) -> None:
    add_product("FEW", stock=0)
    for _round in range(20):
        Stock.objects.update(available=1)
        keys = [new_key(), new_key()]

        at_once([order_request(("FEW", 1), key=key) for key in keys * 3], clients=6)

    assert Order.objects.count() == 20
    sweep()
    assert sold("FEW") == 20
    assert SalesEntry.objects.count() == 20


# ── Stock that fails ────────────────────────────────────────────────────────────────────────
def test_a_failing_stock_thread_leaves_nothing_and_a_retry_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_product("TEA")
    request = order_request(("TEA", 1))
    healthy = writers().stock.apply

    def broken(connection: Any, drafts: Any) -> Any:
        raise ZeroDivisionError("stock is broken")

    monkeypatch.setattr(writers().stock, "apply", broken)
    with pytest.raises(PlacementFailed):
        place_order(request)
    assert not Order.objects.exists()
    assert wait_until(lambda: sold("TEA") == 0, seconds=30)
    monkeypatch.setattr(writers().stock, "apply", healthy)

    assert not place_order(request).replayed
    assert wait_until(lambda: sold("TEA") == 1, seconds=30)


def test_a_poisonous_order_hurts_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    add_product("TEA")
    gate = threading.Event()
    healthy = writers().stock.apply

    def wait_for_all(connection: Any, drafts: Any) -> Any:
        gate.wait(5)
        return healthy(connection, drafts)

    monkeypatch.setattr(writers().stock, "apply", wait_for_all)
    requests = [order_request(("TEA", 1)) for _ in range(10)]
    poison = order_request(("TEA", 1), language="no-such-language-fits-the-column")
    threading.Timer(0.3, gate.set).start()

    outcomes = at_once([*requests, poison], clients=11)

    assert isinstance(outcomes[-1], PlacementFailed)
    assert all(isinstance(outcome, Placement) for outcome in outcomes[:-1])
    assert Stock.objects.get().available == 90
    assert wait_until(lambda: sold("TEA") == 10, seconds=30)


# ── A locked product ────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("table", ["orders_stock", "orders_productsales", "orders_product"])
def test_a_locked_product_does_not_stop_the_others(table: str) -> None:
    stuck = add_product("STUCK")
    add_product("FREE")
    with locked(table, stuck.pk):
        blocked = ThreadPoolExecutor(1).submit(at_once, [order_request(("STUCK", 1))], clients=1)
        time.sleep(0.1)  # the stuck order is in a batch now
        waits = []
        for _ in range(10):
            started = time.monotonic()
            place_order(order_request(("FREE", 1)))
            waits.append(time.monotonic() - started)
        outcome = blocked.result(timeout=20)[0]

    assert max(waits) < stretched(2.0)
    assert sorted(waits)[5] < stretched(0.5)
    if table != "orders_productsales":
        assert isinstance(outcome, ShopBusy)
    else:
        assert isinstance(outcome, Placement)  # late sales never fail an order
    assert not place_order(order_request(("STUCK", 1))).replayed
    assert wait_until(lambda: sold("FREE") == 10, seconds=30)


def test_an_account_that_somebody_keeps_locked_stops_no_other_order() -> None:
    add_product("MUG")
    user = User.objects.create_user("ada")
    mine = order_request(("MUG", 1), user_id=user.pk)
    with psycopg.connect(this_database()) as session:
        session.execute("SELECT 1 FROM orders_user WHERE id = %s FOR UPDATE", [user.pk])

        outcomes = at_once([mine, order_request(("MUG", 1))])

        session.rollback()

    assert [type(outcome) for outcome in outcomes] == [ShopBusy, Placement]
    assert isinstance(place_order(mine), Placement)


def test_many_orders_for_a_locked_product_do_not_take_every_place() -> None:
    stuck = add_product("STUCK")
    add_product("FREE")
    with locked("orders_stock", stuck.pk):
        rush = ThreadPoolExecutor(1).submit(
            at_once, [order_request(("STUCK", 1)) for _ in range(40)], clients=40
        )
        time.sleep(1.3)  # the lock timeout has passed: its product is a suspect now
        started = time.monotonic()
        place_order(order_request(("FREE", 1)))
        waited = time.monotonic() - started
        outcomes = rush.result(timeout=30)

    assert waited < stretched(2.0)
    assert all(isinstance(outcome, ShopBusy) for outcome in outcomes)
    assert Order.objects.count() == 1


# ── Connections ─────────────────────────────────────────────────────────────────────────────
def test_orders_leave_the_number_of_connections_where_it_was() -> None:
    add_product("TEA", stock=10_000)
    at_once([order_request(("TEA", 1)) for _ in range(24)])

    def count() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            )
            return cursor.fetchone()[0]

    before = count()

    at_once([order_request(("TEA", 1)) for _ in range(500)])

    assert wait_until(lambda: count() <= before, seconds=30)
