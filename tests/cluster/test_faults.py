"""A whole cluster under load: what its machines lose, and what its shoppers were told.

The control of the rules, a cluster without the synchronous standby, is in test_controls.py.
"""

from itertools import islice
from pathlib import Path

import pytest

from tests.cluster.cluster import Cluster, missing
from tests.cluster.faults import QUICK, deck, named
from tests.cluster.run import break_and_mend, table

_MISSING = missing()
pytestmark = [
    pytest.mark.live,
    pytest.mark.broker,
    pytest.mark.xdist_group("cluster"),
    pytest.mark.skipif(bool(_MISSING), reason=_MISSING or "all is there"),
]
SEED = 15
RUNS, FAULTS = 10, 10
"""A hundred faults: each run has all kinds, and one of them twice."""


@pytest.mark.timeout(600)  # a cluster is slow on a machine that others use too
def test_five_faults_lose_double_and_oversell_nothing(filled_data: Path) -> None:
    with Cluster(filled_data) as cluster:
        break_and_mend(cluster, map(named, QUICK), seed=SEED, audited=False)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("seed", range(RUNS))
def test_a_hundred_faults_lose_double_and_oversell_nothing(filled_data: Path, seed: int) -> None:
    with Cluster(filled_data) as cluster:
        run, _clients = break_and_mend(cluster, islice(deck(seed), FAULTS), seed=seed, audited=True)

    print(table(run.seen))
