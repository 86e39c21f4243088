"""The shop's benchmarks (`manage.py bench`)."""

from orders.benchmarks.growth import SIZES, bench_growth
from orders.benchmarks.http import bench_http
from orders.benchmarks.placement import bench_placement
from orders.benchmarks.quotes import bench_quotes
from orders.benchmarks.search import bench_search
from project.benchmarks import Benchmark, register

register(
    Benchmark(
        name="placement",
        summary="orders/s and latency against a textbook transaction, hot and spread",
        run=bench_placement,
    )
)
register(
    Benchmark(
        name="growth",
        summary="what pages, sweeps, audits and orders cost in shops of several sizes",
        run=bench_growth,
        sizes=SIZES,
    )
)
register(
    Benchmark(
        name="quotes",
        summary="asking 1, 3 and 10 carriers: threads, one by one, and asyncio",
        run=bench_quotes,
    )
)
register(
    Benchmark(
        name="search",
        summary="searches, suggestions and lists with 100,000 products, against ILIKE",
        run=bench_search,
    )
)
register(
    Benchmark(
        name="http",
        summary="requests/s and latency of the web process, against another build; overload",
        run=bench_http,
        compares_builds=True,
    )
)
