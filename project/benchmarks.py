"""Benchmarks: each compares variants in one run on a scratch database, and has targets.

An app registers its benchmarks in `benchmarks`; `manage.py bench NAME` runs one.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from typing import Any, cast

from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.utils.module_loading import autodiscover_modules


@dataclass
class Report:
    """The figures of a benchmark. Machines differ, so only the ratios count."""

    rows: list[dict[str, Any]]
    ratios: dict[str, float]
    missed: list[str] = field(default_factory=list)
    """A sentence for each target that was not reached."""
    targets: dict[str, dict[str, float]] = field(default_factory=dict)
    """The most that a row may have, by its `what` and column; or, by a ratio's name, its bounds
    `at_least` and `at_most`."""


def judged(
    rows: list[dict[str, Any]], ratios: dict[str, float], bounds: dict[str, dict[str, float]]
) -> Report:
    """Return the report, with a sentence for each ratio that is outside its bounds."""
    ratios = {name: round(ratio, 3) for name, ratio in ratios.items()}
    targets = {name: bounds[name] for name in ratios if name in bounds}
    missed = [
        f"{name} is {ratios[name]:g}, wanted {bound.replace('_', ' ')} {value:g}"
        for name, target in targets.items()
        for bound, value in target.items()
        if (ratios[name] < value if bound == "at_least" else ratios[name] > value)
    ]
    return Report(rows=rows, ratios=ratios, missed=missed, targets=targets)


@dataclass(frozen=True)
class Benchmark:
    name: str
    summary: str
    run: Callable[..., Report]
    sizes: tuple[int, ...] = ()
    """The sizes that `run` takes if no others are asked for; empty: it takes none."""
    soak_minutes: float = 0.0
    """The minutes of its longest part, which `run` takes if no others are asked for; 0: none."""
    compares_builds: bool = False
    """Whether `run` takes the worktree of another build, or None."""


_benchmarks: dict[str, Benchmark] = {}


def register(benchmark: Benchmark) -> Benchmark:
    """Make the benchmark known to `manage.py bench`."""
    _benchmarks[benchmark.name] = benchmark
    return benchmark


def benchmarks() -> dict[str, Benchmark]:
    """Return the benchmarks of all apps by name."""
    autodiscover_modules("benchmarks")
    return _benchmarks


@contextmanager
def scratch_database(*, pool_size: int) -> Iterator[None]:
    """Point this process at a new, migrated database on the same server; drop it afterwards.

    The `default` alias gets a connection pool of `pool_size`, as in the web process.
    """
    default = cast("DatabaseWrapper", connections["default"])
    writer = connections["writer"]
    own_name = default.settings_dict["NAME"]
    own_options = dict(default.settings_dict["OPTIONS"])
    default.settings_dict["TEST"]["NAME"] = f"tandem_bench_{os.getpid()}"
    with redirect_stdout(sys.stderr):  # its lines about the cache table must not mix with our JSON
        default.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    writer.close()
    writer.creation.set_as_test_mirror(default.settings_dict)
    default.close()
    default.settings_dict["OPTIONS"]["pool"] = {"min_size": pool_size, "max_size": pool_size}
    default.settings_dict["CONN_MAX_AGE"] = 0
    try:
        yield
    finally:
        writer.close()
        default.close()
        default.close_pool()
        default.settings_dict["OPTIONS"] = own_options
        default.creation.destroy_test_db(own_name, verbosity=0)
        writer.settings_dict["NAME"] = own_name
