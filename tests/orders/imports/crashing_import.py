"""Runs a desk job, and kills itself (SIGKILL) in the middle of the third batch's transaction.

Run as `python -m tests.orders.imports.crashing_import JOB_ID`.
"""

import os
import signal
import sys
from typing import Any
from uuid import UUID

import django


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
    django.setup()
    from orders.imports import products, run
    from orders.models import DeskJob
    from project.jobs.run import run_job

    run.BATCH_ROWS = 2
    write, written = products.write_plan, 0

    def write_five(*args: Any) -> None:
        nonlocal written
        write(*args)
        written += 1
        if written == 5:
            os.kill(os.getpid(), signal.SIGKILL)

    products.write_plan = write_five  # type: ignore[assignment]
    run_job(DeskJob, UUID(sys.argv[1]))


if __name__ == "__main__":
    main()
