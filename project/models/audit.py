"""The audits' outcomes, and how far one is that runs."""

from datetime import datetime
from typing import Any, TypeAlias

from django.db import models
from django.db.models import Max, Q
from django.db.models.functions import Now
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _


class AuditRunQuerySet(models.QuerySet["AuditRun"]):
    def mark(self) -> datetime | None:
        """Return the time before which all changes have been audited and found clean."""
        return self.filter(is_clean=True, until__isnull=False).aggregate(mark=Max("until"))["mark"]

    def last_of_each_scope(self) -> list["AuditRun"]:
        """Return the last audit of each scope that has one, the newest first."""
        recent, whole = (
            self.filter(scope=scope).order_by("-started_at")[:1] for scope in AuditScope
        )
        return list(recent.union(whole, all=True).order_by("-started_at"))


class AuditScope(models.TextChoices):
    RECENT = "recent", _("what changed")
    ALL = "all", _("everything")


class AuditRun(models.Model):
    """One audit: its time, its outcome, and the figure of each invariant."""

    Scope: TypeAlias = AuditScope

    scope = models.CharField(
        _("scope"), max_length=6, choices=AuditScope, default=AuditScope.ALL, db_default="all"
    )
    until = models.DateTimeField(_("up to"), null=True, blank=True)
    """The audit saw all changes before it."""
    started_at = models.DateTimeField(_("started"), db_default=Now())
    finished_at = models.DateTimeField(_("finished"), db_default=Now())
    is_clean = models.BooleanField(_("clean"))
    findings = models.JSONField(_("findings"), default=list)

    objects = AuditRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit run")
        verbose_name_plural = _("audit runs")
        ordering = ["-started_at"]
        indexes = [
            models.Index(fields=["scope", "-started_at"], name="auditrun_latest"),
            models.Index(fields=["-until"], name="auditrun_mark", condition=Q(is_clean=True)),
            models.Index(fields=["-started_at", "-id"], name="audit_run_newest"),
            models.Index(
                fields=["-started_at", "-id"], name="audit_run_drift", condition=Q(is_clean=False)
            ),
        ]

    def __str__(self) -> str:
        state = _("clean") if self.is_clean else _("drift")
        return f"{localtime(self.started_at):%Y-%m-%d %H:%M} {state}"


class AuditProgress(models.Model):
    """How far the audit of everything is: one row while it runs, or after it was interrupted."""

    started_at = models.DateTimeField(db_default=Now())
    until = models.DateTimeField()
    """The audit sees all changes before it."""
    subject = models.CharField(max_length=40, blank=True, default="")
    after = models.CharField(max_length=40, blank=True, default="")
    """The last key of the subject that is checked."""
    findings = models.JSONField(default=list)

    class Meta:
        verbose_name = _("audit in progress")
        verbose_name_plural = _("audits in progress")

    def __str__(self) -> str:
        return f"{self.subject} {self.after}"

    def keep(self, *, subject: str, after: object, findings: list[dict[str, Any]]) -> None:
        """Note that the subject's keys up to this one are checked, with the figures so far."""
        self.subject, self.after, self.findings = subject, str(after), findings
        self.save(update_fields=["subject", "after", "findings"])
