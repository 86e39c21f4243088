"""Rushes on the live shop: gunicorn with its two processes and real Celery workers.

The controls of these races are in tests/orders/placing: the same guards, taken out one by one.
"""

import threading
import time

import httpx
import psycopg
import pytest

from tests.concurrency.rush import Books, new_key, order_body, rush
from tests.live import LiveShop, wait_until
from tests.time_bounds import stretched

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(240)]


def test_a_mail_is_sent_within_two_seconds_of_its_order(live_shop: LiveShop, books: Books) -> None:
    sku = books.add_product(stock=1000)
    since = books.one("SELECT clock_timestamp()")
    for _order in range(40):
        rush(live_shop, [(new_key(), order_body((sku, 1)))])
        time.sleep(0.05)  # shoppers come one by one
    sent = (
        "SELECT extract(epoch FROM finished_at - placed_at)::float"
        " FROM notifications_notification JOIN orders_order ON orders_order.id = order_id"
        " WHERE channel = 'email' AND notifications_notification.status = 'done'"
        " AND placed_at > %s ORDER BY 1"
    )
    wait_until(lambda: len(books.all(sent, since)) == 40, seconds=20, what="40 mails sent")

    seconds = [row[0] for row in books.all(sent, since)]

    assert seconds[int(len(seconds) * 0.95)] < stretched(2.0)


def test_fifty_units_for_two_hundred_shoppers(live_shop: LiveShop, books: Books) -> None:
    sku = books.add_product(stock=50)

    answers = rush(
        live_shop,
        [(new_key(), order_body((sku, 1))) for _ in range(200)],
        clients=200,
        patient=True,
    )

    statuses = [answer.status for answer in answers]
    assert statuses.count(201) == 50
    assert statuses.count(409) == 150
    assert {answer.body["code"] for answer in answers if answer.status == 409} == {"out_of_stock"}
    assert books.available(sku) == 0
    wait_until(lambda: books.units_sold(sku) == 50, seconds=30, what="50 units sold")


@pytest.mark.parametrize("seconds", [6, pytest.param(20, marks=pytest.mark.slow)])
def test_baskets_in_opposite_order(live_shop: LiveShop, books: Books, seconds: int) -> None:
    a, b = books.add_product(stock=1_000_000), books.add_product(stock=1_000_000)
    baskets = [order_body((a, 1), (b, 1)), order_body((b, 1), (a, 1))]
    placed = 0
    end = time.monotonic() + seconds

    while time.monotonic() < end:
        answers = rush(
            live_shop,
            [(new_key(), basket) for basket in baskets for _ in range(200)],
            clients=40,
        )
        assert {answer.status for answer in answers} == {201}
        placed += len(answers)

    wait_until(lambda: books.units_sold(a) == placed, seconds=30, what=f"{placed} sold")
    assert 1_000_000 - books.available(a) == 1_000_000 - books.available(b) == placed


def test_one_key_twenty_times_at_once(live_shop: LiveShop, books: Books) -> None:
    sku, key = books.add_product(stock=30), new_key()

    answers = rush(live_shop, [(key, order_body((sku, 1)))] * 20, clients=20)
    other = rush(live_shop, [(key, order_body((sku, 2)))])[0]

    assert sorted(answer.status for answer in answers) == [200] * 19 + [201]
    assert len({answer.body["id"] for answer in answers}) == 1
    assert (other.status, other.body["code"]) == (409, "key_reused")
    assert books.available(sku) == 29


def test_a_product_on_two_lines_is_merged(live_shop: LiveShop, books: Books) -> None:
    sku = books.add_product(stock=30)

    answer = rush(live_shop, [(new_key(), order_body((sku, 1), (sku, 2)))])[0]

    assert [line["quantity"] for line in answer.body["lines"]] == [3]
    assert books.available(sku) == 27


@pytest.mark.parametrize("count", [300, pytest.param(1000, marks=pytest.mark.slow)])
def test_many_orders_leave_the_connections_where_they_were(
    live_shop: LiveShop, books: Books, count: int
) -> None:
    sku = books.add_product(stock=10_000)
    rush(live_shop, [(new_key(), order_body((sku, 1))) for _ in range(300)], clients=100)
    before = books.connections()  # every thread that may have one has it

    answers = rush(
        live_shop,
        [(new_key(), order_body((sku, 1))) for _ in range(count)],
        clients=100,
        patient=True,
    )

    assert {answer.status for answer in answers} == {201}
    assert books.connections() < before + 15  # the pool may breathe; a leak would be hundreds


def seconds_until_placed(shop: LiveShop, sku: str) -> float:
    """Order as a shopper who comes again at once when told "busy", and say how long it took."""
    key, began = new_key(), time.monotonic()
    while True:
        answer = rush(shop, [(key, order_body((sku, 1)))])[0]
        if answer.body.get("code") != "busy":
            assert answer.status == 201
            return time.monotonic() - began


@pytest.mark.parametrize(
    "seconds", [8, pytest.param(30, marks=pytest.mark.slow)], ids=["short", "as_asked"]
)
def test_a_locked_product_stops_neither_orders_nor_pages(
    live_shop: LiveShop, books: Books, seconds: int
) -> None:
    stuck, free = books.add_product(stock=100), books.add_product(stock=1000)
    with psycopg.connect(live_shop.env["DATABASE_URL"]) as holder:
        holder.execute(
            "SELECT 1 FROM orders_stock JOIN orders_product ON id = product_id"
            " WHERE sku = %s FOR UPDATE OF orders_stock",
            [stuck],
        )
        end = time.monotonic() + seconds
        stuck_answers = []
        rush_for_stuck = threading.Thread(
            target=lambda: stuck_answers.extend(
                rush(live_shop, [(new_key(), order_body((stuck, 1))) for _ in range(60)])
            )
        )
        rush_for_stuck.start()
        free_seconds, page_seconds, health_seconds = [], [], []
        while time.monotonic() < end:
            free_seconds.append(seconds_until_placed(live_shop, free))
            page_seconds.append(httpx.get(f"{live_shop.url}/").elapsed.total_seconds())
            health_seconds.append(httpx.get(f"{live_shop.url}/healthz").elapsed.total_seconds())
        rush_for_stuck.join()
        holder.rollback()

    assert {answer.status for answer in stuck_answers} == {503}
    assert {answer.body["code"] for answer in stuck_answers} == {"busy"}
    assert max(free_seconds) < stretched(2.0)
    assert max(page_seconds) < stretched(2.0)
    assert max(health_seconds) < stretched(1.0)
    assert rush(live_shop, [(new_key(), order_body((stuck, 1)))])[0].status == 201
