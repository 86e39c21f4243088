"""Announcements: messages to all customers who subscribed to them."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from project.text import isolate


class Announcement(models.Model):
    """One message to all subscribed users. `orders.messages.announcements` sends it.

    Its messages are notifications. They are queued in batches, in the order of the user ids.
    `reached` is the last user with a queued message; it is written in the batch's transaction.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SCHEDULED = "scheduled", _("Planned")
        SENDING = "sending", _("Sending")
        SENT = "sent", _("Sent")
        STOPPED = "stopped", _("Stopped")

    TEXTS: ClassVar = ("subject_en", "text_en", "subject_zh_hans", "text_zh_hans")

    subject_en = models.CharField(_("subject in English"), max_length=200)
    text_en = models.TextField(_("text in English"), max_length=10_000)
    subject_zh_hans = models.CharField(_("subject in Chinese"), max_length=200, blank=True)
    text_zh_hans = models.TextField(_("text in Chinese"), max_length=10_000, blank=True)
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.DRAFT, editable=False
    )
    send_at = models.DateTimeField(_("send at"), null=True, blank=True, editable=False)
    reached = models.BigIntegerField(default=0, db_default=0, editable=False)
    recipients = models.PositiveIntegerField(
        _("recipients"), default=0, db_default=0, editable=False
    )
    """The number of users with a queued message."""
    queued_at = models.DateTimeField(_("queued for all"), null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
        editable=False,
    )
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="draft") | Q(send_at__isnull=False),
                name="announcement_has_a_time_once_it_is_planned",
            ),
            # A Chinese text needs its subject, and a subject its text.
            models.CheckConstraint(
                condition=Q(subject_zh_hans="", text_zh_hans="")
                | ~Q(subject_zh_hans="") & ~Q(text_zh_hans=""),
                name="announcement_is_whole_in_each_language",
            ),
            models.CheckConstraint(
                condition=Q(queued_at__isnull=True) | Q(queued_at__gte=F("created_at")),
                name="announcement_is_queued_after_it_was_written",
            ),
        ]

    def __str__(self) -> str:
        return isolate(self.subject_en)

    def words(self, language: str) -> tuple[str, str]:
        """Return subject and text in this language, else in English."""
        if language == "zh-hans" and self.subject_zh_hans:
            return self.subject_zh_hans, self.text_zh_hans
        return self.subject_en, self.text_en
