"""What guards a cluster: with a guard off, the same checks fail."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.cluster import Cluster, missing
from tests.cluster.faults import SILENT_PRIMARY
from tests.cluster.probe import probing
from tests.live import wait_until

_MISSING = missing()
pytestmark = [
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.broker,
    pytest.mark.xdist_group("cluster"),
    pytest.mark.timeout(600),
    pytest.mark.skipif(bool(_MISSING), reason=_MISSING or "all is there"),
]


@pytest.fixture
def cluster(filled_data: Path) -> Iterator[Cluster]:
    with Cluster(filled_data) as running:
        yield running


@pytest.fixture
def asynchronous(filled_data: Path) -> Iterator[Cluster]:
    with Cluster(filled_data, synchronous=False) as running:
        yield running


def test_control_without_synchronous_commit_the_rules_find_lost_orders(
    asynchronous: Cluster,
) -> None:
    databases = asynchronous.databases
    primary, standby = databases.leader(), databases.standby()
    with asynchronous.clients(seed=1) as clients:
        clients.wait_for_orders(10, since=0, seconds=60)
        databases.machines[standby].cut_off()
        clients.wait_for_orders(10, since=clients.history.now(), seconds=30)
        with clients.paused():
            databases.machines[primary].kill()
            databases.machines[standby].let_in()
            wait_until(
                lambda: databases.leader() == standby, seconds=SILENT_PRIMARY, what="a new primary"
            )
            broken = asynchronous.broken_promises(clients)

    assert [sentence for sentence in broken if sentence.startswith("lost: ")] != []


def test_a_primary_that_is_cut_off_confirms_no_write_beside_its_successor(
    cluster: Cluster,
) -> None:
    databases = cluster.databases
    primary, standby = databases.leader(), databases.standby()
    with probing(databases) as probe:
        wait_until(lambda: probe.confirmed[primary], seconds=10, what="the primary writes")
        databases.machines[primary].cut_off()
        began = time.monotonic()
        wait_until(lambda: probe.confirmed[standby], seconds=SILENT_PRIMARY, what="a successor")
        time.sleep(5)  # a time in which both could write
        databases.machines[primary].let_in()
        cluster.wait_until_whole()

        assert databases.leader() == standby
        # One COMMIT may have been on its way.
        assert [moment for moment in probe.confirmed[primary] if moment > began + 1] == []


def test_control_without_fence_and_synchronous_commit_both_write(asynchronous: Cluster) -> None:
    """Patroni on the primary's machine is frozen: nobody tells the server to give up."""
    databases = asynchronous.databases
    primary, standby = databases.leader(), databases.standby()
    with probing(databases) as probe:
        databases.machines[primary].signal(signal.SIGSTOP, "-m patroni")
        databases.machines[primary].cut_off()
        wait_until(lambda: probe.confirmed[standby], seconds=SILENT_PRIMARY, what="a successor")
        began = time.monotonic()
        wait_until(
            lambda: probe.writers(since=began, until=time.monotonic()) == {primary, standby},
            seconds=10,
            what="both write",
        )


def test_synchronous_commit_alone_lets_no_frozen_primary_confirm_a_write(cluster: Cluster) -> None:
    databases = cluster.databases
    primary, standby = databases.leader(), databases.standby()
    with probing(databases) as probe:
        databases.machines[primary].signal(signal.SIGSTOP, "-m patroni")
        databases.machines[primary].cut_off()
        began = time.monotonic()
        wait_until(lambda: probe.confirmed[standby], seconds=SILENT_PRIMARY, what="a successor")
        time.sleep(3)  # a time in which both could write

        assert [moment for moment in probe.confirmed[primary] if moment > began + 1] == []
