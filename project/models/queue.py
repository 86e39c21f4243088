"""The queues: which are paused, and their minutes."""

from django.db import models
from django.db.models.functions import Now
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from project.names import queue_name


class PausedQueue(models.Model):
    """A queue that an operator has paused: the relay dispatches none of its jobs.

    `project.queues.pausing` writes it.
    """

    queue = models.CharField(_("queue"), max_length=20, primary_key=True)
    paused_at = models.DateTimeField(_("paused since"), db_default=Now())
    paused_by = models.CharField(_("paused by"), max_length=150, blank=True, default="")
    reason = models.CharField(_("reason"), max_length=200, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("paused queue")
        verbose_name_plural = _("paused queues")
        ordering = ["queue"]

    def __str__(self) -> str:
        return queue_name(self.queue)


class QueueSample(models.Model):
    """One minute of a queue: what waited at its end, and what was finished in it.

    `project.queues.samples` writes it.
    """

    queue = models.CharField(_("queue"), max_length=20)
    minute = models.DateTimeField(_("minute"))
    """Its beginning."""
    depth = models.PositiveIntegerField(_("waiting"))
    """Jobs that were due and not claimed."""
    oldest = models.FloatField(_("oldest waits for"))
    """Seconds."""
    done = models.PositiveIntegerField(_("done"))
    failed = models.PositiveIntegerField(_("failed"))
    """With those whose outcome is unknown."""
    median = models.FloatField(_("median duration"), null=True)
    """Seconds from the time at which a job was due to its end; null if none was done."""
    slowest = models.FloatField(_("95th percentile"), null=True)

    class Meta:
        verbose_name = _("sample of a queue")
        verbose_name_plural = _("samples of queues")
        ordering = ["minute", "queue"]
        constraints = [
            models.UniqueConstraint(fields=["minute", "queue"], name="queue_sample_once"),
        ]

    def __str__(self) -> str:
        return f"{queue_name(self.queue)} {localtime(self.minute):%Y-%m-%d %H:%M}"
