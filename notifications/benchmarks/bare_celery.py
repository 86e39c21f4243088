"""Celery alone, for `bench jobs`: a task that does nothing, without a database or results."""

import os
from typing import Any

from celery import Celery

app = Celery("bare", broker=os.environ["CELERY_BROKER_URL"], fixups=[])
app.conf.update(task_ignore_result=True, task_default_queue="bare")


@app.task(name="bare.no_op")
def no_op(job_id: str) -> dict[str, Any]:
    """Do nothing."""
    return {}
