"""A run on record: its table and its history, written into a folder."""

from itertools import islice
from pathlib import Path

from tests.cluster.cluster import Cluster
from tests.cluster.faults import deck
from tests.cluster.run import break_and_mend, table
from tests.live import LiveShop, wait_until


def record(faults: int, *, seed: int, into: Path, folder: Path) -> int:
    """Break a new cluster so often; write `faults.md` and `history.json`; return the exit code."""
    shop = LiveShop(data=folder / "filled")
    folder.chmod(0o711)
    with shop:
        wait_until(lambda: "Tandem is up" in shop.output(), seconds=150, what="all is drawn")
    with Cluster(shop.data) as cluster:
        run, clients = break_and_mend(cluster, islice(deck(seed), faults), seed=seed, audited=True)
    into.mkdir(parents=True, exist_ok=True)
    clients.history.write(into / "history.json")
    (into / "faults.md").write_text(
        f"Seed {seed}: {faults} faults, {run.orders} orders, {run.answers} answers.\n\n"
        f"{table(run.seen)}\n"
    )
    print(table(run.seen))
    return 0
