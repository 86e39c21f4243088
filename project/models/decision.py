"""What operators decided about jobs."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class JobDecision(models.Model):
    """One decision of an operator about one job. Rows are only inserted.

    `project.desk.decision_log` writes it, in the transaction that decides. It outlives the job.
    """

    job_id = models.UUIDField(_("job"), db_index=True)
    order_id = models.UUIDField(_("order"), null=True)
    app = models.CharField(_("kind"), max_length=20)
    """The job's model, by its `Job.app`."""
    label = models.CharField(_("decision"), max_length=60)
    """The decision in words, untranslated, as in the audit log."""
    error = models.CharField(_("error"), max_length=500, blank=True, default="", db_default="")
    """Why the job waited for a person, when it was decided."""
    reason = models.CharField(_("reason"), max_length=200, blank=True, default="", db_default="")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("by"),
    )
    decided_at = models.DateTimeField(_("when"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("decision about a job")
        verbose_name_plural = _("decisions about jobs")
        ordering = ["pk"]
        indexes = [
            models.Index(
                fields=["order_id"],
                name="job_decision_of_order",
                condition=Q(order_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.label
