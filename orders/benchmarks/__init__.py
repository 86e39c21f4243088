"""The shop's benchmarks (`manage.py bench`)."""

from orders.benchmarks.growth import SIZES, bench_growth
from orders.benchmarks.holds import RACES, bench_holds
from orders.benchmarks.http import bench_http, processes
from orders.benchmarks.placement import SOAK_MINUTES, bench_placement
from orders.benchmarks.plan import SIZES as RATES
from orders.benchmarks.plan import bench_plan
from orders.benchmarks.quotes import bench_quotes
from orders.benchmarks.search import bench_search
from orders.benchmarks.vouchers import USES, bench_vouchers
from orders.benchmarks.whole import memory, orders
from project.benchmarks import Benchmark, register

register(
    Benchmark(
        name="placement",
        summary="orders/s and latency against textbook transactions and pgbench; deadlocks",
        run=bench_placement,
        soak_minutes=SOAK_MINUTES,
        compares_builds=True,
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
        name="holds",
        summary="holds/s against orders/s, and races for one product's units",
        run=bench_holds,
        sizes=(RACES,),
    )
)
register(
    Benchmark(
        name="vouchers",
        summary="a code that everybody uses: waits for its lock, and orders/s beside those without",
        run=bench_vouchers,
        sizes=(USES,),
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
register(
    Benchmark(
        name="orders",
        summary="orders/s of a whole shop with all their jobs done, against another build",
        run=orders.bench_orders,
        sizes=orders.SIZES,
        compares_builds=True,
    )
)
register(
    Benchmark(
        name="memory",
        summary="what each process holds: fresh, after many orders, after many jobs",
        run=memory.bench_memory,
        sizes=memory.SIZES,
        compares_builds=True,
    )
)
register(
    Benchmark(
        name="plan",
        summary="PostgreSQL nodes for 10,000 orders/s: a simulation, checked by two databases",
        run=bench_plan,
        sizes=RATES,
    )
)
register(
    Benchmark(
        name="processes",
        summary="requests/s of 1, 2, 4 and 8 web processes on this machine",
        run=processes.bench_processes,
        sizes=processes.SIZES,
    )
)
