"""Runs each variant in a process of its own, so that its memory can be measured.

Each process returns freed memory as a worker does, loads only its variant's libraries, and makes
a tiny picture before it is measured.
"""

import multiprocessing
import resource
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from media_jobs.recipes import JPEG, PRODUCT, RenditionSpec
from project.worker.memory import return_freed_memory

CONTEXT = multiprocessing.get_context("spawn")
PHOTO_TIMEOUT = 600.0


def measured(variant: str, work: str, data: bytes, *, tiny: bytes) -> dict[str, Any]:
    """Make the recipe's files in a new process; return its seconds a photo, peak and bytes."""
    (report,) = measured_together(variant, work, data, tiny=tiny, processes=1, times=1)
    return report


def measured_together(
    variant: str, work: str, data: bytes, *, tiny: bytes, processes: int, times: int
) -> list[dict[str, Any]]:
    """Make the files in several processes, which begin together once all have warmed up."""
    pipes = [CONTEXT.Pipe() for _number in range(processes)]
    children = [
        CONTEXT.Process(target=_child, args=(theirs, variant, work, data, tiny, times), daemon=True)
        for _ours, theirs in pipes
    ]
    for child in children:
        child.start()
    for _ours, theirs in pipes:
        theirs.close()  # so that a child that dies is noticed: EOFError
    try:
        for ours, _theirs in pipes:
            _received(ours)  # warm
        for ours, _theirs in pipes:
            ours.send("begin")
        return [_received(ours) for ours, _theirs in pipes]
    finally:
        for child in children:
            child.kill()
            child.join()


def _received(pipe: Connection) -> Any:
    if not pipe.poll(PHOTO_TIMEOUT):
        raise TimeoutError("a process of the benchmark didn't answer")
    return pipe.recv()


def _child(pipe: Connection, variant: str, work: str, data: bytes, tiny: bytes, times: int) -> None:
    import django  # in the child only: what it loads counts for its memory

    django.setup()
    return_freed_memory()
    specs = specs_of(work)
    make = _maker(variant)
    make(tiny, specs)  # libraries load, tables are built
    pipe.send("warm")
    pipe.recv()
    started, cpu_started = time.perf_counter(), time.process_time()
    for _time in range(times):
        size = make(data, specs)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu_started
    pipe.send(
        {
            "seconds": seconds / times,
            "cpu": cpu / times,
            "megabytes": peak_megabytes(),
            "bytes": size,
        }
    )


def specs_of(work: str) -> tuple[RenditionSpec, ...]:
    """Return the product's recipe, or its renditions in one format alone."""
    if work == "recipe":
        return PRODUCT.renditions
    wanted = {"jpeg": JPEG}.get(work) or next(
        known for known in PRODUCT.renditions[0].formats if known.name == work
    )
    return tuple(
        RenditionSpec(spec.name, spec.width, spec.height, (wanted,), spec.fit, spec.watermark)
        for spec in PRODUCT.renditions
    )


def _maker(variant: str) -> Any:
    if variant == "tandem":
        from media_jobs.images import encode, renditions_of

        return lambda data, specs: sum(
            len(encode(picture, file_format))
            for spec, picture in renditions_of(data, specs)
            for file_format in spec.formats
        )
    from media_jobs.benchmarks.textbook import textbook_renditions

    drafted = variant == "pillow, drafted"
    return lambda data, specs: sum(map(len, textbook_renditions(data, specs, drafted=drafted)))


def peak_megabytes() -> float:
    """Return this process's peak memory. `ru_maxrss` would include its parent's."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:  # not Linux
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return int(status.partition("VmHWM:")[2].split()[0]) / 1000
