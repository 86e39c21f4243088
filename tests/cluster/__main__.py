"""`python -m tests.cluster FAULTS [--seed N] [--into FOLDER]`: a run on record (docs/cluster.md).

Writes the table of the times to the first order, and the clients' history.
"""

import argparse
import os
import random
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import django


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.cluster",
        description="Break a cluster so many times under load, and keep what was measured.",
    )
    parser.add_argument("faults", type=int)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    parser.add_argument("--into", type=Path, default=Path("cluster"), help="folder for the record")
    wanted = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    from tests.cluster.record import record  # it needs the apps

    with TemporaryDirectory(prefix="tandem-cluster-") as folder:
        return record(wanted.faults, seed=wanted.seed, into=wanted.into, folder=Path(folder))


if __name__ == "__main__":
    sys.exit(main())
