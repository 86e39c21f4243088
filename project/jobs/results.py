"""Celery's log of a job's result, written by the statement that finishes the job.

django-celery-results looks for the row, then inserts or updates it in a transaction of its own.
Here the row is part of the UPDATE that ends the attempt, so it costs no round trip, and a lost
claim leaves no row. Other result backends store results as Celery does.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder

# Not the model's name: models of jobs are loaded while the other apps' models may not be.
_TABLE = "django_celery_results_taskresult"
_COLUMNS = (
    *("task_name", "worker", "task_args", "task_kwargs", "status", "result", "traceback", "meta"),
    *("content_type", "content_encoding", "date_done"),
)
_STORE = f"""
WITH finished AS ({{update}} RETURNING 1)
INSERT INTO {_TABLE} (task_id, date_created, {", ".join(_COLUMNS)})
SELECT %s, statement_timestamp(), %s, %s, %s, '"{{{{}}}}"', 'SUCCESS', %s, NULL,
       '{{{{"children": []}}}}', 'application/json', 'utf-8', statement_timestamp()
FROM finished
ON CONFLICT (task_id) DO UPDATE
SET {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)}
"""


@dataclass(frozen=True)
class ResultLog:
    """What Celery's log says of a job besides its result."""

    task: str
    worker: str

    def around(
        self, update: str, parameters: Sequence[Any], *, job_id: UUID, result: dict[str, Any]
    ) -> tuple[str, list[Any]]:
        """Return a statement that makes the update, and adds the row if a row was updated.

        It affects as many rows as the update does: one, or none.
        """
        encoded = json.dumps(result, cls=DjangoJSONEncoder)
        values = [str(job_id), self.task, self.worker, json.dumps(args_of(str(job_id))), encoded]
        return _STORE.format(update=update), [*parameters, *values]


def args_of(job_id: str) -> str:
    """Return a task's arguments as Celery shows them."""
    return repr([job_id])
