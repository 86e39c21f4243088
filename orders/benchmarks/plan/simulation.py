"""A shop of several databases as queues: what its orders wait for, by measured parameters.

A discrete-event simulation with SimPy. Its resources are the cores of machines, first come first
served, and the interpreter of each process, which one thread has at a time. An order takes its
web process's interpreter, a look at the offers, then its parts wait in the queues of the writers
of their nodes. A writer takes all that wait, up to 256, computes in its process and on the node,
waits for the disk, and answers all of them.

It knows no row locks between the writers of several processes (with 1,000 products they seldom
meet), no checkpoints, no network, and no cost of switching between threads.
"""

from collections.abc import Generator
from dataclasses import dataclass
from random import Random
from typing import Any

from orders.benchmarks.plan.parameters import Parameters, WriterCost

MOST_ITEMS = 256
"""Of a batch, as in `GroupCommitter`."""
Steps = Generator[Any, Any, None]


@dataclass(frozen=True)
class Layout:
    """Which processes and databases run where."""

    nodes: int
    processes: int
    """Web processes."""
    cores: int = 2
    """Of each machine. A node has one of its own, and so have each two web processes."""
    one_machine: bool = False
    """Everything shares one machine, as in the real run."""
    writers_at_nodes: bool = False
    """A pair of writers for each node, in a process on a machine of its own, which gets the parts
    from all web processes; else each web process has a pair for each node."""


@dataclass(frozen=True)
class Demand:
    """What is ordered: `share` of the orders, of two lines each, are on two nodes."""

    share: float
    clients: int = 0
    """So many place one order after the other; or"""
    rate: float = 0.0
    """so many orders come in a second, at random times."""


@dataclass(frozen=True)
class Outcome:
    """Orders a second, and the latencies in seconds, in ascending order."""

    per_second: float
    latencies: list[float]

    def percentile_ms(self, percent: float) -> float:
        place = min(int(len(self.latencies) * percent / 100), len(self.latencies) - 1)
        return 1000 * self.latencies[place] if self.latencies else float("inf")


def simulate(
    parameters: Parameters,
    layout: Layout,
    demand: Demand,
    *,
    seconds: float = 4.0,
    warm_up: float = 1.0,
    seed: int = 1,
) -> Outcome:
    """Return what the shop does in so many seconds after the warm-up. One seed, one outcome."""
    shop = _Shop(parameters, layout, demand, seed=seed, warm_up=warm_up)
    shop.run(until=warm_up + seconds)
    return Outcome(len(shop.latencies) / seconds, sorted(shop.latencies))


class _Process:
    """A process of Python on a machine."""

    def __init__(self, environment: Any, machine: Any) -> None:
        import simpy  # late: only this benchmark needs the package

        self.machine = machine
        self.interpreter = simpy.Resource(environment, 1)


class _Shop:
    def __init__(
        self, parameters: Parameters, layout: Layout, demand: Demand, *, seed: int, warm_up: float
    ) -> None:
        import simpy

        self.costs, self.layout, self.demand = parameters, layout, demand
        self.latencies: list[float] = []
        self._warm_up = warm_up
        self._random = Random(seed)  # noqa: S311 (a simulation that can be repeated)
        self._environment = simpy.Environment()
        machines = iter(lambda: simpy.Resource(self._environment, layout.cores), None)
        shared = next(machines) if layout.one_machine else None
        self._nodes = [shared or next(machines) for _node in range(layout.nodes)]
        self._web: list[_Process] = []
        for number in range(layout.processes):
            machine = shared or (self._web[-1].machine if number % 2 else next(machines))
            self._web.append(_Process(self._environment, machine))
        # The queues of each node's writers, by the process that they are in.
        self._writers: dict[tuple[int, int], list[_Writer]] = {}
        for node in range(layout.nodes):
            if layout.writers_at_nodes:
                place = _Process(self._environment, next(machines))
                pair = self._pair(place, node)
                self._writers |= {(number, node): pair for number in range(layout.processes)}
            else:
                for number, place in enumerate(self._web):
                    self._writers[number, node] = self._pair(place, node)

    def _pair(self, place: _Process, node: int) -> "list[_Writer]":
        return [
            _Writer(self, self._environment, cost, place, self._nodes[node])
            for cost in (self.costs.stock, self.costs.sales)
        ]

    def run(self, *, until: float) -> None:
        if self.demand.clients:
            for client in range(self.demand.clients):
                self._environment.process(self._client(client % self.layout.processes))
        else:
            self._environment.process(self._arrivals())
        self._environment.run(until=until)

    def _client(self, process: int) -> Steps:
        while True:
            yield from self._order(process)

    def _arrivals(self) -> Steps:
        while True:
            yield self._environment.timeout(self._random.expovariate(self.demand.rate))
            process = self._random.randrange(self.layout.processes)
            self._environment.process(self._order(process))

    def _order(self, process: int) -> Steps:
        began = self._environment.now
        yield from self.compute(self.costs.web, self._web[process])
        parts = self._parts()
        yield from self.on_cores(self._nodes[parts[0]], self.costs.read)
        lines = 2 // len(parts)
        waiting = [
            writer.submit(lines) for node in parts for writer in self._writers[process, node]
        ]
        yield self._environment.all_of(waiting)
        if self._environment.now >= self._warm_up:
            self.latencies.append(self._environment.now - began)

    def _parts(self) -> list[int]:
        """Return the nodes of an order."""
        nodes = range(self.layout.nodes)
        if len(nodes) > 1 and self._random.random() < self.demand.share:
            return self._random.sample(nodes, 2)
        return [self._random.choice(nodes)]

    def compute(self, seconds: float, process: _Process) -> Steps:
        """Compute in a process: it takes the interpreter, and with it a core of the machine."""
        with process.interpreter.request() as turn:
            yield turn
            yield from self.on_cores(process.machine, seconds)

    def on_cores(self, machine: Any, seconds: float) -> Steps:
        with machine.request() as core:
            yield core
            yield self._environment.timeout(seconds)


class _Writer:
    """A writer's thread and its queue."""

    def __init__(
        self, shop: _Shop, environment: Any, cost: WriterCost, place: _Process, node: Any
    ) -> None:
        self._shop, self._environment = shop, environment
        self._cost, self._place, self._node = cost, place, node
        self._queue: list[tuple[int, Any]] = []
        self._wake = environment.event()
        environment.process(self._run())

    def submit(self, lines: int) -> Any:
        """Queue a part with so many lines; return the event of its answer."""
        answer = self._environment.event()
        self._queue.append((lines, answer))
        if not self._wake.triggered:
            self._wake.succeed()
        return answer

    def _run(self) -> Steps:
        while True:
            if not self._queue:
                yield self._wake
                self._wake = self._environment.event()
                continue
            batch, self._queue = self._queue[:MOST_ITEMS], self._queue[MOST_ITEMS:]
            lines = [each for each, _answer in batch]
            yield from self._shop.compute(self._cost.python.of(lines), self._place)
            yield from self._shop.on_cores(self._node, self._cost.database.of(lines))
            yield self._environment.timeout(self._shop.costs.flush)
            for _lines, answer in batch:
                answer.succeed()
