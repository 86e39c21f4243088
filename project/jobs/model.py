"""Jobs: outbox row, job row and result row in one.

A job is written in the transaction of its cause, dispatched by `project.relay`, claimed by a
worker, and finished under the claim's token (`project.jobs.run`). A second delivery has no second
effect: each step is one conditional statement (`project.jobs.queryset`). The handler of its model
does the work (`project.jobs.handler`).
"""

from datetime import timedelta
from typing import Any, ClassVar

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.db.models.lookups import IsNull
from django.utils.translation import gettext_lazy as _

from project.database.keys import time_ordered_key
from project.jobs.queryset import JobQuerySet, Status
from project.tracing.spans import LONGEST_TRACEPARENT, traceparent

BY_ORDER = models.Index(fields=["order_id"], name="%(class)s_order")
"""For a model without a unique constraint that begins with the order."""
TROUBLE = models.Index(
    fields=["finished_at"],
    name="%(class)s_trouble",
    condition=Q(status__in=["failed", "unknown"]),
    include=["order_id"],
)
"""Jobs that need an operator; the health pages count them, and the desk lists their orders."""


class Job(models.Model):
    """One piece of background work. Its id is also its Celery task id.

    A model of jobs names its `queue` and `task`; its handler does the work.
    """

    queue: ClassVar[str]
    task: ClassVar[str]
    app: ClassVar[str]
    """The API's name of this model's jobs."""
    window: ClassVar[int] = 1000
    """The number of messages that may wait in the queue: more would be outdated when taken."""
    backdated: ClassVar[bool] = False
    """Whether some are queued with a `ring_after` that is long past, to be rung before others."""
    is_of_order: ClassVar[bool] = True
    """Whether the pages and lists of orders show its jobs: they are part of serving the order."""
    lease: ClassVar[timedelta] = timedelta(seconds=30)
    heartbeat: ClassVar[timedelta | None] = None
    """The interval at which the lease is extended during the work; None: never."""
    shares_process: ClassVar[bool] = True
    """Whether its worker runs several jobs in one process (threads), which die together."""
    max_duration: ClassVar[timedelta] = timedelta(minutes=15)
    """The time after which the lease is no longer extended: another worker may claim the job."""
    cleared_on_finish: ClassVar[dict[str, Any]] = {}
    """Fields that are cleared when a job finishes, with their values: only its work needs them."""

    id = models.UUIDField(primary_key=True, default=time_ordered_key, editable=False)
    order_id = models.UUIDField(_("order"), null=True, blank=True, editable=False)
    kind = models.CharField(_("kind"), max_length=60)
    context = models.JSONField(_("context"), encoder=DjangoJSONEncoder, default=dict, blank=True)
    traceparent = models.CharField(
        _("trace"),
        max_length=LONGEST_TRACEPARENT,
        blank=True,
        default=traceparent,
        db_default="",
        editable=False,
    )
    """The span in which it was queued, W3C's `traceparent`; empty without traces."""
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.QUEUED, db_default="queued"
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, db_default=0)
    lost = models.PositiveSmallIntegerField(_("workers lost"), default=0, db_default=0)
    rings = models.PositiveSmallIntegerField(_("rings"), default=0, db_default=0)
    ring_after = models.DateTimeField(_("ring after"), db_default=Now())
    run_after = models.DateTimeField(_("run after"), db_default=Now())
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    token = models.UUIDField(_("token"), null=True, blank=True, editable=False)
    progress = models.PositiveSmallIntegerField(_("progress"), default=0, db_default=0)
    error = models.TextField(_("error"), blank=True, default="", db_default="")
    result = models.JSONField(_("result"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now())
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ["-created_at"]
        indexes = [
            BY_ORDER,
            # The relay reads open jobs only, and they stay few while the history grows. With their
            # orders' ids, by which the desk lists the orders whose jobs are going on.
            models.Index(
                IsNull(F("order_id"), True),
                F("ring_after"),
                name="%(class)s_going_on",
                condition=Q(status__in=["queued", "running"]),
                include=["order_id"],
            ),
            # What a relay asks at each look, however many jobs are parked: which have lost a
            # worker, and whose lease is over.
            models.Index(
                fields=["ring_after"],
                name="%(class)s_lost_one",
                condition=Q(status__in=["queued", "running"], lost__gt=0),
            ),
            models.Index(
                fields=["lease_until"], name="%(class)s_leased", condition=Q(status="running")
            ),
            # How long the oldest due job waits, at each scrape, however many are queued.
            models.Index(fields=["run_after"], name="%(class)s_due", condition=Q(status="queued")),
            # What pruning deletes, the oldest first.
            models.Index(
                fields=["finished_at"],
                name="%(class)s_prunable",
                condition=Q(status__in=["done", "cancelled"]),
            ),
            # The desk's list, and its filter by a status. Times grow, so a new row is added at the
            # end of each, on a page that is in memory. Those that are done are most of all: the
            # first index finds them, and the second has no entry for them. The first ascends, so
            # that its pages are left full.
            models.Index(fields=["created_at", "id"], name="%(class)s_newest"),
            models.Index(
                fields=["status", "-created_at", "-id"],
                name="%(class)s_not_done",
                condition=~Q(status="done"),
            ),
            TROUBLE,
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="%(class)s_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(progress__lte=100), name="%(class)s_progress_is_percent"
            ),
            models.CheckConstraint(
                condition=Q(status="running", token__isnull=False, lease_until__isnull=False)
                | ~Q(status="running") & Q(token__isnull=True, lease_until__isnull=True),
                name="%(class)s_is_leased_while_running",
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {str(self.pk)[-8:]}"


def job_models() -> list[type[Job]]:
    """Return every model of jobs in the installed apps."""
    return [model for model in apps.get_models() if issubclass(model, Job)]


def models_of_orders() -> list[type[Job]]:
    """Return the models of jobs that the pages and lists of orders show."""
    return [model for model in job_models() if model.is_of_order]
