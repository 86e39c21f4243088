"""The messages' benchmarks (`manage.py bench pools`, `jobs`, `partitions`)."""

from project.benchmarks import Benchmark, Report, register


def _bench_pools() -> Report:
    from notifications.benchmarks.pools import bench_pools  # workers, a mail server

    return bench_pools()


def _bench_jobs(sizes: tuple[int, ...]) -> Report:
    from notifications.benchmarks.jobs import bench_jobs  # workers, procrastinate

    return bench_jobs(sizes)


def _bench_partitions(sizes: tuple[int, ...]) -> Report:
    from notifications.benchmarks.partitions import bench_partitions

    return bench_partitions(sizes)


register(
    Benchmark(
        name="partitions",
        summary="the table of messages as it is, and cut into weeks: questions and pruning",
        run=_bench_partitions,
        sizes=(100_000,),
    )
)
register(
    Benchmark(
        name="jobs",
        summary="jobs of no work per second, against bare Celery and procrastinate; waits",
        run=_bench_jobs,
        sizes=(20_000, 2_000_000, 300),
    )
)
register(
    Benchmark(
        name="pools",
        summary="500 messages by threads, processes, coroutines and alone, against bare smtplib",
        run=_bench_pools,
    )
)
