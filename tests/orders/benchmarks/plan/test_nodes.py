"""Orders over two real databases: each part is whole on its node, and both are there."""

from uuid import uuid5

import psycopg
import pytest

from orders.benchmarks.plan.running import shop
from orders.benchmarks.plan.servers import Server, running_nodes

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(400)]


def read(server: Server, query: str) -> list[tuple]:
    with psycopg.connect(server.url) as session:
        return session.execute(query).fetchall()


def test_an_order_over_two_nodes_has_both_its_parts() -> None:
    with running_nodes(2) as servers, shop(servers) as running:
        found = running.load(clients=4, seconds=1.0, share=1.0)
        first, second = (
            {key for (key,) in read(server, "SELECT id FROM orders_order")} for server in servers
        )
        drift = [
            read(
                server,
                "SELECT product_id FROM orders_stock WHERE available <> initial + coalesce("
                "(SELECT sum(quantity) FROM orders_stockmovement AS movement"
                " WHERE movement.product_id = orders_stock.product_id), 0)",
            )
            for server in servers
        ]
        sold = [read(server, "SELECT sum(units) FROM orders_productsales") for server in servers]

    assert found.orders > 20
    assert len(first) >= found.orders
    assert {uuid5(key, "1") for key in first} == second
    assert drift == [[], []]
    assert sold == [[(len(first),)]] * 2
    assert found.writers["stock"]["items"] == 2 * found.orders


def test_the_ways_to_commit_are_measured_on_real_prepared_transactions() -> None:
    with running_nodes(2) as servers, shop(servers) as running:
        before = {len(read(server, "SELECT FROM orders_order")) for server in servers}
        found = running.commits(orders=4)
        after = {len(read(server, "SELECT FROM orders_order")) for server in servers}
        prepared = [read(server, "SELECT gid FROM pg_prepared_xacts") for server in servers]

    assert set(found) == {"one node", "two commits", "prepared", "taken back"}
    assert min(found.values()) > 0
    assert min(after) > max(before)
    assert prepared == [[], []]
