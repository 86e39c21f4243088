"""Celery's results of finished jobs, as `celery` keeps them by `django-celery-results`."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db.backends.utils import CursorWrapper
from django_celery_results.models import TaskResult

from orders.demo.orders.copying import NULL, Copied, ready
from orders.demo.orders.json_text import encode
from orders.demo.orders.rows.jobs import Finished
from project.jobs import errors
from project.jobs.model import Job

_RESULTS = Copied(
    TaskResult,
    (
        *("task_id", "task_name", "task_args", "task_kwargs", "status", "worker"),
        *("content_type", "content_encoding", "result", "date_created", "date_done"),
        *("traceback", "meta"),
    ),
)


def write(
    cursor: CursorWrapper, model: type[Job], finished: Iterable[Finished], *, since: datetime
) -> None:
    """Write the results of those jobs that ended since then; a worker that died left none."""
    _RESULTS.write_ready(cursor, (row for job in finished for row in _result(model, job, since)))


def _result(model: type[Job], job: Finished, since: datetime) -> Iterator[tuple[Any, ...]]:
    at = job.ended.finished_at or job.ended.started_at
    if job.ended.started_at is None or job.ended.lost or at is None or at < since:
        return
    failed = job.failure
    result = _error(failed, job.ended.error) if failed else job.ended.result
    yield (
        *(job.id, model.task, ready(encode(f"[{job.id!r}]")), ready(encode("{}"))),
        *("FAILURE" if failed else "SUCCESS", f"{model.queue}@demo.example"),
        *("application/json", "utf-8", ready(result) if result else NULL, at, at),
        ready(_traceback(failed, job.ended.error)) if failed else NULL,
        '{"children": []}',
    )


def _error(name: str, words: str) -> str:
    return encode({"exc_type": name, "exc_message": [words], "exc_module": errors.__name__})


def _traceback(name: str, words: str) -> str:
    return f"Traceback (most recent call last):\n{errors.__name__}.{name}: {words}\n"
