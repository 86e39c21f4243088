"""The figures that apps read from the database for `/metrics`."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client.core import Metric

_reporters: "list[Callable[[], Iterable[Metric]]]" = []


def report_figures(read_figures: "Callable[[], Iterable[Metric]]") -> None:
    """Add an app's figures to the page; call it in the app's `ready`."""
    _reporters.append(read_figures)


def reported_figures() -> "Iterator[Metric]":
    """Yield the figures of all apps."""
    for read_figures in _reporters:
        yield from read_figures()
