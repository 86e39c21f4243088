"""A run of faults under load: what breaks, what is measured, and what must hold after each."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from tests.cluster.clients import Clients
from tests.cluster.cluster import Cluster
from tests.cluster.faults import Fault
from tests.live import wait_until

WARM_ORDERS = 15
SETTLED = 60.0
"""Seconds in which sales that were half done are settled, and leases of dead workers run out."""


@dataclass(frozen=True)
class Seen:
    """One fault, in seconds: to the first order, the longest pause of orders, until all was up."""

    fault: str
    first: float
    pause: float
    whole: float


@dataclass
class Run:
    """What was measured."""

    seed: int
    seen: list[Seen] = field(default_factory=list)
    orders: int = 0
    answers: int = 0


def table(seen: Iterable[Seen]) -> str:
    """Return a Markdown table by kind of fault."""
    by_kind: dict[str, list[Seen]] = {}
    for each in seen:
        by_kind.setdefault(each.fault, []).append(each)
    rows = [
        f"| {fault} | {len(all_)} | {_times(each.first for each in all_)}"
        f" | {_times(each.pause for each in all_)} | {_times(each.whole for each in all_)} |"
        for fault, all_ in sorted(by_kind.items())
    ]
    head = [
        "| Fault | Times | First order | Longest pause | All is up |",
        "|---|---|---|---|---|",
    ]
    return "\n".join(head + rows)


def _times(seconds: Iterable[float]) -> str:
    """Return median and worst."""
    values = list(seconds)
    return f"{median(values):.1f} / {max(values):.1f}"


def break_and_mend(
    cluster: Cluster, faults: Iterable[Fault], *, seed: int, audited: bool
) -> tuple[Run, Clients]:
    """Let three clients shop while the faults come one after the other.

    Fails where an order that was answered is lost, doubled or oversold, where a rule over the
    history is broken or the first order comes too late. `audited`: also `manage.py audit` after
    each fault, not only at the end.
    """
    run = Run(seed)
    cluster.dice.seed(seed)
    print(f"seed {seed}")
    with cluster.clients(seed=seed) as clients:
        clients.wait_for_orders(WARM_ORDERS, since=0, seconds=60)
        for fault in faults:
            with fault.block(cluster):
                began = clients.history.now()
                first = clients.wait_for_orders(1, since=began, seconds=fault.within)
            cluster.wait_until_whole()
            whole = (clients.history.now() - began) / 1e9
            seen = Seen(fault.name, first, clients.longest_pause(since=began), whole)
            run.seen.append(seen)
            print(f"{seen}", flush=True)
            clients.wait_for_orders(3, since=clients.history.now(), seconds=30)
            with clients.paused():
                assert cluster.broken_promises(clients) == [], fault.name
            if audited:
                assert cluster.audit() == "", fault.name
    judge(cluster, clients)
    run.orders, run.answers = len(clients.placed()), len(clients.statuses)
    return run, clients


def judge(cluster: Cluster, clients: Clients) -> None:
    """Compare all that was answered with books and mail once the last jobs are done."""
    assert clients.placed() != []
    assert cluster.broken_promises(clients) == []
    cluster.wait_for_jobs(seconds=2 * SETTLED)
    assert cluster.wrong_messages() == []
    wait_until(lambda: cluster.drift() == [], seconds=SETTLED, what="sales are settled")
    assert cluster.audit() == ""
