"""Figures that a process counts itself: noted without waiting, and told a second later.

    count(ORDERS, "api", "placed")  ─▶ a deque ─▶ flush(), each second ─▶ prometheus_client's values

Whoever notes a figure appends to a deque, which takes no lock: with prometheus_client's own, one
for all values of a process, a thread that holds it and loses the interpreter makes sixty others
wait for tens of milliseconds. Only the thread that accepts connections touches the values.

gunicorn has several processes, so each keeps its values in files of one folder and `/metrics` adds
them up (prometheus_client's multiprocess mode; `project.figures.folder`).
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from project.figures import folder as folders
from project.figures import statsd

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_declared: "list[Figure]" = []
MOST_NOTED = 50_000
"""Where nobody tells them, as in a command, the oldest are forgotten."""


@dataclass(frozen=True, eq=False)
class _Declared:
    """A figure is known once its module is loaded: it is 0, and on the page, before it counts."""

    name: str
    help: str

    def __post_init__(self) -> None:
        _declared.append(self)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Counter(_Declared):
    """A number that only grows. Its name ends with `_total` on the page."""

    labels: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Histogram(_Declared):
    """How many values are below some bounds, their sum and their number."""

    labels: tuple[str, ...]
    bounds: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Gauge(_Declared):
    """A number of this moment. `mode` says how those of the living processes become one."""

    labels: tuple[str, ...] = ()
    mode: str = "livesum"
    """`livesum` or `livemax`."""


Figure = Counter | Histogram | Gauge
_noted: deque[tuple[Figure, tuple[str, ...], float]] = deque(maxlen=MOST_NOTED)
_values: dict[Figure, Any] = {}
"""prometheus_client's object of each figure that this process has told."""
_registry: "CollectorRegistry | None" = None


def count(figure: Counter, *labels: str, amount: float = 1.0) -> None:
    """Add to a counter. It never waits."""
    _noted.append((figure, labels, amount))


def observe(figure: Histogram, *labels: str, value: float) -> None:
    """Add a value to a histogram. It never waits."""
    _noted.append((figure, labels, value))


def show(figure: Gauge, *labels: str, value: float) -> None:
    """Set a gauge. It never waits."""
    _noted.append((figure, labels, value))


def forget() -> None:
    """Forget what was noted and not yet told."""
    _noted.clear()


def flush() -> None:
    """Tell what was noted since the last call; by one thread of a process at a time."""
    for figure in _declared:
        if figure not in _values:
            _values[figure] = _made(figure)
    noted = _take()
    for figure, labels, value in noted:
        _tell(figure, labels, value)
    statsd.send(noted)


def page() -> bytes:
    """Return the figures of this machine's processes, as Prometheus reads them."""
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    folder = folders.of_this_process()
    if folder is None:  # one process: a test, or Django's own server
        flush()
        return generate_latest(_own_registry())
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))
    return generate_latest(registry)


def _take() -> list[tuple[Figure, tuple[str, ...], float]]:
    """Take what is there now, added up where that is the same."""
    counts: dict[tuple[Counter, tuple[str, ...]], float] = {}
    others: list[tuple[Figure, tuple[str, ...], float]] = []
    for _each in range(len(_noted)):
        try:
            figure, labels, value = _noted.popleft()
        except IndexError:  # another thread flushes as well
            break
        if isinstance(figure, Counter):
            counts[figure, labels] = counts.get((figure, labels), 0.0) + value
        else:
            others.append((figure, labels, value))
    summed: Iterable[tuple[Figure, tuple[str, ...], float]] = (
        (figure, labels, value) for (figure, labels), value in counts.items()
    )
    return [*summed, *others]


def _tell(figure: Figure, labels: tuple[str, ...], value: float) -> None:
    told = _values[figure].labels(*labels) if labels else _values[figure]
    match figure:
        case Counter():
            told.inc(value)
        case Histogram():
            told.observe(value)
        case Gauge():
            told.set(value)


def _made(figure: Figure) -> Any:
    # Late: prometheus_client asks for the folder when it is loaded.
    import prometheus_client as library

    registry = _own_registry()
    names = (figure.name, figure.help, figure.labels)
    match figure:
        case Counter():
            return library.Counter(*names, registry=registry)
        case Histogram():
            return library.Histogram(*names, registry=registry, buckets=figure.bounds)
        case Gauge():
            mode: Any = figure.mode
            return library.Gauge(*names, registry=registry, multiprocess_mode=mode)


def _own_registry() -> "CollectorRegistry":
    global _registry
    if _registry is None:
        from prometheus_client import CollectorRegistry

        _registry = CollectorRegistry()
    return _registry
