"""Messages: the job, the text and the receipt of each."""

from typing import Any, ClassVar

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from notifications.same_error import same_error
from project.email_addresses import STORED
from project.jobs.model import BY_ORDER, TROUBLE, Job
from project.jobs.queryset import OPEN, PARKED, JobQuerySet, Status

OFFERS = ("announcement",)
"""The events of `notifications.events` that are marketing, here for the indexes' conditions."""
SYNTHETIC = "order_synthetic"
"""The event of a performance run's messages: real jobs, whose delivery sends nothing."""
FINAL = (Status.DONE.value, Status.CANCELLED.value)
"""Statuses of messages that will not be sent by themselves any more, and need no decision."""
_IS_PARKED = Q(status=Status.QUEUED.value, ring_after=PARKED)


class NotificationQuerySet(JobQuerySet):
    """The effects of an operator's decisions about messages."""

    def confirm_sent(self) -> int:
        """Mark unknown messages as done: they arrived after all. Return how many."""
        return self.filter(status=Status.UNKNOWN).update(
            status=Status.DONE, error="", progress=100, finished_at=Now()
        )

    def send_again(self) -> int:
        """Queue unknown messages anew, at the risk of a second copy. Return how many."""
        return self.filter(status=Status.UNKNOWN).queue_again()

    def cancel_failed(self) -> int:
        """Cancel failed messages, so that they need no attention. Return how many."""
        return self.filter(status=Status.FAILED).update(status=Status.CANCELLED)


class Notification(Job):
    """A message. Its text is rendered at the first claim and stored: a retry sends the same."""

    queue = "notify"
    task = "notifications.tasks.send"
    app = "notification"
    cleared_on_finish: ClassVar[dict[str, Any]] = {"secrets": None}
    began: float | None = None
    """The begin of this process's attempt, in seconds of the monotonic clock."""

    handed_over = False
    """Whether this process gave it to a gateway that has not refused it: it may have arrived."""

    class Channel(models.TextChoices):
        EMAIL = "email", _("E-mail")
        SMS = "sms", _("SMS")

    class Delivery(models.TextChoices):
        """The provider's reports after it accepted the message, in order of finality."""

        DELIVERED = "delivered", _("Delivered")
        BOUNCED = "bounced", _("Bounced")
        COMPLAINED = "complained", _("Complained")

    event = models.CharField(_("event"), max_length=40)
    occasion = models.CharField(
        _("occasion"), max_length=40, blank=True, default="", db_default="", editable=False
    )
    """Tells events of one kind apart, such as an order's refunds; empty if it happens once."""
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    recipient = models.CharField(_("recipient"), max_length=254)
    """An e-mail address, or a phone number in E.164."""
    language = models.CharField(_("language"), max_length=7)
    secrets = models.JSONField(null=True, blank=True, editable=False)
    """Values that only the recipient may read, such as a sign-in code, by their names in the
    templates. Stored apart from the context, never shown, cleared when the job finishes."""
    subject = models.CharField(_("subject"), max_length=300, blank=True, default="", db_default="")
    text = models.TextField(_("text"), blank=True, default="", db_default="")
    attachments = models.JSONField(_("attachments"), null=True, blank=True)
    """Files in the storage, which several messages may share: see `delivery.attachments`."""
    provider_id = models.CharField(
        _("provider id"), max_length=200, blank=True, default="", db_default=""
    )
    """The other side's id of the message: a Message-ID, or the gateway's answer."""
    gateway = models.CharField(
        _("gateway"), max_length=100, blank=True, default="", db_default="", editable=False
    )
    """The name of its last gateway: see `delivery.gateways`. Empty before the first attempt."""
    maybe_duplicate = models.BooleanField(_("maybe a duplicate"), default=False, db_default=False)
    """An attempt ended in doubt: the other side may have accepted the message."""
    attempts_log = models.JSONField(_("attempts"), default=list, db_default=[], blank=True)
    """The end of each attempt, oldest first: see `notifications.delivery.log`."""
    same_error = models.GeneratedField(
        expression=same_error(), output_field=models.TextField(), db_persist=True
    )
    """The part of the error that other messages share: see `notifications.same_error`."""
    resent_from = models.UUIDField(null=True, blank=True, editable=False)
    """The message of which an operator sent this copy; it may be pruned already."""
    delivery = models.CharField(
        pgettext_lazy("message", "delivery"),
        max_length=10,
        choices=Delivery,
        blank=True,
        default="",
        db_default="",
    )
    """The state by a receipt: see `notifications.receipts`. Empty before the first one."""
    delivery_at = models.DateTimeField(_("reported"), null=True, blank=True)
    delivery_reason = models.CharField(
        _("reason"), max_length=300, blank=True, default="", db_default=""
    )

    objects: ClassVar = NotificationQuerySet.as_manager()

    class Meta(Job.Meta):
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(
                fields=["order_id", "event", "occasion", "channel", "recipient"],
                name="one_notification_per_event",
            ),
            models.CheckConstraint(
                condition=models.Q(secrets__isnull=True) | models.Q(status__in=OPEN),
                name="notification_keeps_secrets_only_while_open",
            ),
            models.CheckConstraint(
                condition=Q(delivery="", delivery_at=None, delivery_reason="")
                | ~Q(delivery="") & Q(delivery_at__isnull=False),
                name="notification_delivery_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(channel="email") | Q(recipient__regex=STORED),
                name="notification_email_has_the_one_form",
            ),
        ]
        # All but that of recipients are partial: an order's message has an entry in those of open
        # jobs only, and in `notification_sms` if it is one. An order's messages are found by the
        # constraint that begins with the order.
        indexes = [
            *(index for index in Job.Meta.indexes if index not in (BY_ORDER, TROUBLE)),
            # `TROUBLE`, with what the desk's list filters by, and its sample of errors reads: the
            # filtered list says how many failed, and else PostgreSQL would read them all for it.
            models.Index(
                fields=["finished_at"],
                name="notification_trouble",
                condition=Q(status__in=["failed", "unknown"]),
                include=[
                    *("order_id", "status", "created_at", "id", "channel", "event"),
                    *("delivery", "maybe_duplicate", "same_error"),
                ],
            ),
            models.Index(
                fields=["resent_from"],
                name="notification_resent",
                condition=Q(resent_from__isnull=False),
            ),
            # Receipts of SMS have the gateway's id; those of e-mails have ours.
            models.Index(
                fields=["provider_id"],
                name="notification_sms_provider_id",
                condition=Q(channel="sms") & ~Q(provider_id=""),
            ),
            models.Index(
                Lower("recipient"),
                F("delivery_at").desc(),
                name="notification_reported",
                condition=~Q(delivery=""),
            ),
            models.Index(
                fields=["same_error", "-created_at", "-id"],
                name="notification_error_list",
                condition=Q(status__in=["failed", "unknown", "queued"]) & ~Q(error=""),
                include=["status"],
            ),
            # The filters of the desk's list, each without its most frequent value: that is found
            # by `notification_newest`.
            models.Index(
                fields=["created_at", "id"],
                name="notification_sms",
                condition=Q(channel="sms"),
            ),
            models.Index(
                fields=["event", "-created_at", "-id"],
                name="notification_event_list",
                condition=~Q(event="order_placed"),
            ),
            models.Index(
                fields=["delivery", "-created_at", "-id"],
                name="notification_delivery_list",
                condition=~Q(delivery=""),
            ),
            models.Index(
                fields=["created_at", "id"],
                name="notification_maybe_twice",
                condition=Q(maybe_duplicate=True),
                include=["status"],
            ),
            # The desk's search for a recipient or its beginning. An order's messages go to one or
            # two recipients, so they touch one or two of its pages.
            models.Index(
                OpClass(Lower("recipient"), name="text_pattern_ops"),
                name="notification_recipient",
            ),
            # What waits for its gateway, in the order in which it goes on: see
            # `notifications.delivery.parked`. Two, because offers go on after all others.
            models.Index(
                fields=["gateway", "started_at"],
                name="notification_parked",
                condition=_IS_PARKED & ~Q(event__in=OFFERS),
            ),
            models.Index(
                fields=["gateway", "started_at"],
                name="notification_parked_offer",
                condition=_IS_PARKED & Q(event__in=OFFERS),
            ),
            # Whether anything of an announcement still waits, however many were sent.
            models.Index(
                fields=["occasion"],
                name="notification_open_offer",
                condition=Q(event__in=OFFERS, status__in=OPEN),
            ),
            # With the recipient as it is, or PostgreSQL would read the rows for it.
            models.Index(
                Lower("recipient"),
                name="notification_returned",
                condition=Q(delivery__in=["bounced", "complained"]),
                include=["recipient"],
            ),
            # All of them, read whole: entries of the same key are in the order of the table, so it
            # costs little to know which of its pages are visible to all.
            models.Index(
                fields=["delivery"],
                name="notification_came_back",
                condition=Q(delivery__in=["bounced", "complained"]),
                include=["recipient"],
            ),
        ]


class MessageHtml(models.Model):
    """The HTML of an e-mail: see `notifications.delivery.stored_html`.

    It is a row of its own, which is deleted long before its message: an update of the message would
    write all of its indexes anew, and its HTML with each change of its state.
    """

    message = models.OneToOneField(
        Notification,
        # The database's own constraint deletes it with its message.
        models.DO_NOTHING,
        primary_key=True,
        related_name="+",
        db_constraint=False,
    )
    html = models.TextField()

    class Meta:
        default_permissions = ()  # whoever may see the message sees it
        verbose_name = _("HTML of a message")
        verbose_name_plural = _("HTML of messages")

    def __str__(self) -> str:
        return str(self.pk)
