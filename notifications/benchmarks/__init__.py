"""The messages' benchmark (`manage.py bench pools`)."""

from project.benchmarks import Benchmark, Report, register


def _bench_pools() -> Report:
    from notifications.benchmarks.pools import bench_pools  # workers, a mail server

    return bench_pools()


register(
    Benchmark(
        name="pools",
        summary="500 messages by threads, processes, coroutines and alone, against bare smtplib",
        run=_bench_pools,
    )
)
