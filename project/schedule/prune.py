"""Pruning: deletes old rows in small batches, so that no lock is held or awaited for long."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.db import Error
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.module_loading import autodiscover_modules
from django_celery_results.models import TaskResult

from project.database.errors import is_lock_timeout
from project.database.timeouts import PRUNING_LOCK, lock_timeout
from project.jobs.handler import handler_of
from project.jobs.model import job_models
from project.models import AuditRun, DailyRun, Heartbeat

logger = logging.getLogger(__name__)

BATCH_SIZE = 1000
KEEP_RESULTS = timedelta(days=30)
KEEP_AUDITS = timedelta(days=30)
KEEP_DAILY_RUNS = timedelta(days=400)
KEEP_HEARTBEATS = timedelta(days=1)
"""For heartbeats of removed hosts: in a cluster each deployment brings new names."""

_more: dict[str, Callable[[], QuerySet[Any]]] = {}


def prune_also(name: str, rows: Callable[[], QuerySet[Any]]) -> None:
    """Add rows of an app to the pruning; call it in the app's `tasks.py`."""
    _more[name] = rows


def prune() -> dict[str, int]:
    """Delete old rows, from task results to finished jobs; return how many of each.

    Failed and unknown jobs stay until an operator has decided about them. A batch with a row that
    somebody has locked is left to the next run, and holds up no other.
    """
    old: dict[str, QuerySet[Any]] = {
        "results": TaskResult.objects.filter(date_done__lt=Now() - KEEP_RESULTS),
        "sessions": Session.objects.filter(expire_date__lt=Now()),
        "heartbeats": Heartbeat.objects.filter(seen_at__lt=Now() - KEEP_HEARTBEATS),
        "audits": AuditRun.objects.filter(started_at__lt=Now() - KEEP_AUDITS),
        "daily runs": DailyRun.objects.filter(started_at__lt=Now() - KEEP_DAILY_RUNS),
    }
    autodiscover_modules("tasks")
    old |= {name: rows() for name, rows in _more.items()}
    with lock_timeout(PRUNING_LOCK):
        deleted = {name: _delete(rows, _by_key(rows)) for name, rows in old.items()}
        for model in job_models():
            handler = handler_of(model)
            finished = handler.prunable().filter(finished_at__lt=Now() - handler.kept_for())
            deleted[model.app] = _delete(finished, handler.delete)
    return deleted


def _by_key(rows: QuerySet[Any]) -> Callable[[list[Any]], object]:
    """Return a function that deletes rows of this kind by their keys."""
    return lambda keys: rows.model.objects.filter(pk__in=keys).delete()


def _delete(rows: QuerySet[Any], delete: Callable[[list[Any]], object]) -> int:
    deleted = 0
    page = rows.order_by("pk").values_list("pk", flat=True)
    keys = list(page[:BATCH_SIZE])
    while keys:
        try:
            delete(keys)
            deleted += len(keys)
        except Error as error:
            if not is_lock_timeout(error):
                raise
            logger.warning("%s: a row is locked; its batch stays", rows.model.__name__)
        keys = list(page.filter(pk__gt=keys[-1])[:BATCH_SIZE])
    return deleted
