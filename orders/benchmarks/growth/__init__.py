"""`bench growth`: what pages, sweeps, audits and orders cost in shops of several sizes.

A scratch database is filled with demo orders for each size. What is measured is what runs in a
shop: the views, the relay's steps, the audits, pruning, `place_order`.
"""

from collections.abc import Sequence

from orders.benchmarks.growth.judgement import judge
from orders.benchmarks.growth.measuring import Row, measure_shop
from project.benchmarks import Report, scratch_database

SIZES = (10_000, 100_000)


def bench_growth(sizes: Sequence[int] = SIZES) -> Report:
    """Measure shops with so many orders, the smallest first."""
    rows: list[Row] = []
    for size in sorted(set(sizes)):
        with scratch_database(pool_size=12):
            rows += measure_shop(size)
    return judge(rows)
