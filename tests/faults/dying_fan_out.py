"""A Celery application (`-A` this module) whose worker dies half way through an announcement.

After its second batch it kills itself, once: the file that DIED names says that it has.
"""

import os
import signal
from pathlib import Path
from typing import Any

from celery.signals import worker_init

from project.celery import app

__all__ = ["app"]


@worker_init.connect
def die_half_way(**kwargs: Any) -> None:
    from orders.messages import announcements

    queue_batch, died, batches = announcements.queue_batch, Path(os.environ["DIED"]), 0

    def dying(announcement_id: int) -> Any:
        nonlocal batches
        queued = queue_batch(announcement_id)
        batches += 1
        if batches == 2 and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return queued

    announcements.queue_batch = dying
    announcements.BATCH_SIZE = 100
