"""Pruning: deletes old rows in small batches, so that no lock is held or awaited for long."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import Error, connection
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.module_loading import autodiscover_modules
from django_celery_results.models import TaskResult

from project.database.errors import is_lock_timeout, is_outage
from project.database.timeouts import PRUNING_LOCK, lock_timeout
from project.jobs.handler import handler_of
from project.jobs.model import job_models
from project.models import AuditRun, DailyRun, Heartbeat, QueueSample

logger = logging.getLogger(__name__)

BATCH_SIZE = 1000
CACHE = "ended cache entries"
KEEP_RESULTS = timedelta(days=30)
KEEP_AUDITS = timedelta(days=30)
KEEP_DAILY_RUNS = timedelta(days=400)
KEEP_QUEUE_SAMPLES = timedelta(days=2)
KEEP_HEARTBEATS = timedelta(days=1)
"""For heartbeats of removed hosts: in a cluster each deployment brings new names."""


@dataclass(frozen=True)
class Old:
    """Rows to prune."""

    rows: QuerySet[Any]
    by: str = "pk"
    """The column by which they are read: one whose index has old rows together, so that no batch
    reads again what is kept."""
    prune: Callable[[list[Any]], object] | None = None
    """Prunes the rows with these keys; None: they are deleted."""


_more: dict[str, Callable[[], Old]] = {}


def prune_also(name: str, rows: Callable[[], Old]) -> None:
    """Add rows of an app to the pruning; call it in the app's `tasks.py`."""
    _more[name] = rows


class UnprunedError(Exception):
    """What could be pruned is; the message says what could not, and why."""


def prune() -> dict[str, int]:
    """Delete old rows, from task results to finished jobs; return how many of each.

    Failed and unknown jobs stay until an operator has decided about them. A batch with a row that
    somebody has locked is left to the next run, and holds up no other. Raises UnprunedError at the
    end for the kinds that failed, such as one whose files can't be deleted.
    """
    old: dict[str, Old] = {
        "results": Old(
            TaskResult.objects.filter(date_done__lt=Now() - KEEP_RESULTS), by="date_done"
        ),
        "sessions": Old(Session.objects.filter(expire_date__lt=Now()), by="expire_date"),
        "heartbeats": Old(Heartbeat.objects.filter(seen_at__lt=Now() - KEEP_HEARTBEATS)),
        "audits": Old(AuditRun.objects.filter(started_at__lt=Now() - KEEP_AUDITS)),
        "daily runs": Old(DailyRun.objects.filter(started_at__lt=Now() - KEEP_DAILY_RUNS)),
        "queue samples": Old(
            QueueSample.objects.filter(minute__lt=Now() - KEEP_QUEUE_SAMPLES), by="minute"
        ),
    }
    autodiscover_modules("tasks")
    old |= {name: rows() for name, rows in _more.items()}
    for model in job_models():
        handler = handler_of(model)
        finished = handler.prunable().filter(finished_at__lt=Now() - handler.kept_for())
        old[model.app] = Old(finished, by="finished_at", prune=handler.delete)
    work: dict[str, Callable[[], int]] = {
        name: partial(_prune, each) for name, each in old.items()
    } | {CACHE: forget_ended_cache_entries}
    deleted: dict[str, int] = {}
    failed: list[str] = []
    with lock_timeout(PRUNING_LOCK):
        for name, do in work.items():
            try:
                deleted[name] = do()
            except Exception as error:
                if is_outage(error):
                    raise
                logger.exception("%s can't be pruned", name)
                failed.append(f"{name}: {type(error).__name__}: {error}")
    if failed:
        raise UnprunedError("; ".join(failed))
    return deleted


def _prune(old: Old) -> int:
    """Prune these rows batch by batch, in the order of their age; return how many.

    A batch begins at the time of the one before: further back is only what was deleted, which an
    index holds until it is vacuumed.
    """
    prune = old.prune or _by_key(old.rows)
    page = old.rows.order_by(old.by).values_list("pk", old.by)
    pruned, left = 0, []
    batch = list(page[:BATCH_SIZE])
    while batch:
        keys = [key for key, _time in batch]
        try:
            prune(keys)
            pruned += len(keys)
        except Error as error:
            if not is_lock_timeout(error):
                raise
            logger.warning("%s: a row is locked; its batch stays", old.rows.model.__name__)
            left += keys
        since = {f"{old.by}__gte": batch[-1][1]}
        batch = list(page.filter(**since).exclude(pk__in=left)[:BATCH_SIZE])
    return pruned


def forget_ended_cache_entries() -> int:
    """Delete what has ended in the cache's table, which has no model; return how many.

    Django deletes it only once the table is full, and its keys name client addresses.
    """
    table = connection.ops.quote_name(settings.CACHES["default"]["LOCATION"])
    deleted = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {table} WHERE cache_key IN (SELECT cache_key FROM {table}"
                f" WHERE expires < now() LIMIT {BATCH_SIZE} FOR UPDATE SKIP LOCKED)"
            )
            deleted += cursor.rowcount
            if cursor.rowcount < BATCH_SIZE:
                return deleted


def _by_key(rows: QuerySet[Any]) -> Callable[[list[Any]], object]:
    """Return a function that deletes rows of this kind by their keys."""
    return lambda keys: rows.model.objects.filter(pk__in=keys).delete()
