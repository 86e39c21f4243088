"""Messages: the job, text and fate of each, and what is known of the channels they go by."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from notifications.same_error import same_error
from project.jobs.model import Job
from project.jobs.queryset import OPEN, JobQuerySet, Status


class NotificationQuerySet(JobQuerySet):
    """What an operator decides about messages."""

    def confirm_sent(self) -> int:
        """Settle unknown messages as done: they arrived after all. Return how many."""
        return self.filter(status=Status.UNKNOWN).update(
            status=Status.DONE, error="", progress=100, finished_at=Now()
        )

    def send_again(self) -> int:
        """Queue unknown messages anew, at the risk of a second copy. Return how many."""
        return self.filter(status=Status.UNKNOWN).queue_again()

    def give_up(self) -> int:
        """Cancel failed messages: nobody needs to look at them any more. Return how many."""
        return self.filter(status=Status.FAILED).update(status=Status.CANCELLED)


class Notification(Job):
    """A message. Its text is rendered at the first claim, then stored: a retry says the same."""

    queue = "notify"
    task = "notifications.tasks.send"
    app = "notification"
    cleared_on_finish: ClassVar[dict[str, Any]] = {"secrets": None}
    began: float | None = None
    """When this process began its attempt, in seconds of the monotonic clock."""

    class Channel(models.TextChoices):
        EMAIL = "email", _("E-mail")
        SMS = "sms", _("SMS")

    class Delivery(models.TextChoices):
        """What the provider reported after it had accepted the message, the final word last."""

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
    """What the message says and nobody else may read, such as a sign-in code: by name, as the
    templates call it. Kept apart from the context, never shown, gone once the job is settled."""
    subject = models.CharField(_("subject"), max_length=300, blank=True, default="", db_default="")
    text = models.TextField(_("text"), blank=True, default="", db_default="")
    html = models.TextField(_("HTML"), blank=True, default="", db_default="")
    attachments = models.JSONField(_("attachments"), null=True, blank=True)
    """Files in the storage, which several messages may share: see `delivery.attachments`."""
    provider_id = models.CharField(
        _("provider id"), max_length=200, blank=True, default="", db_default=""
    )
    """What the other side calls the message: a Message-ID, or what the gateway answered."""
    gateway = models.CharField(
        _("gateway"), max_length=100, blank=True, default="", db_default="", editable=False
    )
    """Who has it, or had it last: see `delivery.gateways`. Empty before the first attempt."""
    maybe_duplicate = models.BooleanField(_("maybe a duplicate"), default=False, db_default=False)
    """An attempt ended when the other side may have accepted the message, without saying so."""
    attempts_log = models.JSONField(_("attempts"), default=list, db_default=[], blank=True)
    """How each attempt ended, oldest first: see `notifications.delivery.log`."""
    same_error = models.GeneratedField(
        expression=same_error(), output_field=models.TextField(), db_persist=True
    )
    """What of the error other messages have, too: see `notifications.same_error`."""
    resent_from = models.UUIDField(null=True, blank=True, editable=False)
    """The message that an operator sent once more, to this recipient; it may be pruned already."""
    delivery = models.CharField(
        pgettext_lazy("message", "delivery"),
        max_length=10,
        choices=Delivery,
        blank=True,
        default="",
        db_default="",
    )
    """What a receipt said: see `notifications.receipts`. Empty: nothing yet."""
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
        ]
        # All partial: an order's message touches none of them.
        indexes = [
            *Job.Meta.indexes,
            models.Index(
                fields=["resent_from"],
                name="notification_resent",
                condition=Q(resent_from__isnull=False),
            ),
            # Receipts of SMS come with the gateway's id; an e-mail's has ours in it.
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
                fields=["same_error"],
                name="notification_same_error",
                condition=Q(status__in=["failed", "unknown", "queued"]) & ~Q(error=""),
            ),
            models.Index(
                Lower("recipient"),
                name="notification_bounced",
                condition=Q(delivery__in=["bounced", "complained"]),
            ),
        ]


class ChannelState(models.Model):
    """How one gateway does, and how much it may be given.

    A row, because workers are several processes: all of them stop asking a dead provider. The
    breaker's part is written by `notifications.delivery.breaker` only, the others by the
    modules that their comments name.
    """

    gateway = models.CharField(_("channel"), max_length=100, primary_key=True)
    """Its name in `notifications.delivery.gateways`."""
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    openings = models.PositiveIntegerField(_("openings in a row"), default=0)
    """How often the breaker opened since the provider last answered: each time for longer."""
    opened_at = models.DateTimeField(_("not working since"), null=True, blank=True)
    open_until = models.DateTimeField(_("next try"), null=True, blank=True)
    error = models.TextField(_("reason"), blank=True, default="")
    # `notifications.delivery.pausing`
    paused_at = models.DateTimeField(_("paused since"), null=True, blank=True)
    paused_by = models.CharField(_("paused by"), max_length=150, blank=True, default="")
    # `notifications.delivery.rate_limit`
    tokens = models.FloatField(default=0, editable=False)
    """What was in the bucket at `filled_at`."""
    filled_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering = ["gateway"]
        constraints = [
            models.CheckConstraint(
                condition=Q(openings=0, opened_at=None, open_until=None)
                | Q(openings__gt=0, opened_at__isnull=False, open_until__isnull=False),
                name="channel_is_open_or_closed",
            ),
            models.CheckConstraint(
                condition=Q(paused_at=None, paused_by="") | Q(paused_at__isnull=False),
                name="channel_is_paused_by_somebody_only_while_paused",
            ),
            models.CheckConstraint(
                condition=Q(tokens__gte=0), name="channel_gives_no_more_than_it_has"
            ),
        ]

    def __str__(self) -> str:
        """`E-mail`, or `SMS by gateway.example`."""
        channel, _colon, host = self.gateway.partition(":")
        label = str(dict(Notification.Channel.choices).get(channel, channel))
        if not host:
            return label
        return _("%(channel)s by %(gateway)s") % {"channel": label, "gateway": host}
