"""Webhooks: the endpoints of other systems, and one delivery for each event and endpoint."""

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext_lazy as _

from notifications.models.webhook_pauses import ATTEMPTS, pause_after
from project.jobs.model import BY_ORDER, Job
from project.jobs.queryset import (
    OPEN,
    PARKED,
    AttemptFields,
    Claim,
    JobQuerySet,
    Status,
    no_fields,
)
from project.text import clean, isolate

MADE_BY_SHOP = "shop"
"""The kind of endpoints that people make at the desk: see `notifications.webhooks.kinds`."""


class WebhookEndpoint(models.Model):
    """Another system that wants to know of events. Its secrets are sealed, and shown once."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        PAUSED = "paused", _("Paused")
        OFF = "off", _("Switched off")

    class Signature(models.TextChoices):
        STANDARD = "standard", _("Standard Webhooks (HMAC-SHA256)")
        MESSAGE = "rfc9421", _("HTTP Message Signatures (RFC 9421)")

    name = models.CharField(_("name"), max_length=80)
    url = models.URLField(_("web address"), max_length=500)
    kind = models.CharField(
        _("kind"), max_length=20, default=MADE_BY_SHOP, db_default=MADE_BY_SHOP, editable=False
    )
    """Who makes its payloads and signatures: a key of `notifications.webhooks.kinds.KINDS`."""
    events = ArrayField(models.CharField(max_length=40), verbose_name=_("events"))
    """Names of `notifications.webhooks.events.EVENTS`."""
    is_thin = models.BooleanField(
        _("thin payloads"),
        default=False,
        db_default=False,
        help_text=_("Only numbers and an address to read the rest from: no personal data."),
    )
    signature = models.CharField(
        _("signature"),
        max_length=10,
        choices=Signature,
        default=Signature.STANDARD,
        db_default="standard",
    )
    minimum = models.DecimalField(
        _("orders of at least"),
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("The order's total, with tax. Empty: all."),
    )
    countries = ArrayField(
        models.CharField(max_length=2),
        verbose_name=_("countries"),
        default=list,
        db_default=[],
        blank=True,
        help_text=_("Codes of the orders' countries, such as DE, AT. Empty: all."),
    )
    skus = ArrayField(
        models.CharField(max_length=40),
        verbose_name=_("SKUs"),
        default=list,
        db_default=[],
        blank=True,
        help_text=_("Orders with one of these products, and these products. Empty: all."),
    )
    secret = models.TextField(editable=False)
    old_secret = models.TextField(blank=True, default="", db_default="", editable=False)
    """The one before: its signature goes with each request until `old_secret_until`."""
    old_secret_until = models.DateTimeField(
        _("earlier secret until"), null=True, blank=True, editable=False
    )
    status = models.CharField(
        _("state"),
        max_length=10,
        choices=Status,
        default=Status.ACTIVE,
        db_default="active",
        editable=False,
    )
    status_reason = models.CharField(
        _("reason"), max_length=200, blank=True, default="", db_default="", editable=False
    )
    # Only `notifications.webhooks.wellbeing` writes these.
    failures = models.PositiveIntegerField(
        _("failures in a row"), default=0, db_default=0, editable=False
    )
    failing_since = models.DateTimeField(_("silent since"), null=True, blank=True, editable=False)
    resting_until = models.DateTimeField(_("next try"), null=True, blank=True, editable=False)
    error = models.CharField(
        _("last error"), max_length=500, blank=True, default="", db_default="", editable=False
    )
    refusals = models.PositiveIntegerField(
        _("refusals in a row"), default=0, db_default=0, editable=False
    )
    refusing_since = models.DateTimeField(_("refuses since"), null=True, blank=True, editable=False)
    refusal = models.CharField(
        _("last refusal"), max_length=500, blank=True, default="", db_default="", editable=False
    )
    gone_at = models.DateTimeField(_("gone since"), null=True, blank=True, editable=False)
    """When it said that it is gone (410), until somebody resumes it or leaves it off."""
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(failures=0, failing_since=None, resting_until=None)
                | Q(failures__gt=0, failing_since__isnull=False),
                name="webhook_endpoint_fails_since_some_time",
            ),
            models.CheckConstraint(
                condition=Q(refusals=0, refusing_since=None)
                | Q(refusals__gt=0, refusing_since__isnull=False),
                name="webhook_endpoint_refuses_since_some_time",
            ),
            models.CheckConstraint(
                condition=Q(old_secret="", old_secret_until=None)
                | ~Q(old_secret="") & Q(old_secret_until__isnull=False),
                name="webhook_endpoint_old_secret_has_an_end",
            ),
        ]

    def __str__(self) -> str:
        return isolate(self.name)


class WebhookDeliveryQuerySet(JobQuerySet):
    """Deliveries wait parked, and only `notifications.webhooks.admission` lets them go.

    So a delivery that may not go yet costs the relay and its workers nothing.
    """

    def longest_wait(self) -> float:
        """Return how long the oldest of those waits that may go; others wait for an endpoint."""
        return JobQuerySet.longest_wait(self.exclude(ring_after=PARKED))

    def retry_later(self, job: Claim, error: str, fields: AttemptFields = no_fields) -> bool:
        """Let it wait for its next attempt, by its own table, or fail it after its last one."""
        if job.attempts >= ATTEMPTS:
            return self.fail(job, error, fields)
        error = clean(error)
        pause = pause_after(job.attempts, at_least=getattr(job, "retry_after", None))
        return bool(
            self.held(job).update(
                status=Status.QUEUED,
                error=error,
                token=None,
                lease_until=None,
                run_after=Now() + pause,
                ring_after=PARKED,
                tried_at=Coalesce(F("tried_at"), Now()),
                **fields("again", error),
            )
        )

    def park(self, job: Claim, error: str, fields: AttemptFields = no_fields, **_when: Any) -> bool:
        """Uncount the attempt and let it wait until its endpoint takes deliveries again."""
        return super().park(job, error, fields)

    def queue_again(self) -> int:
        """Queue them anew, each under its own id; they go in their old order. Return how many."""
        return (
            self.exclude(status__in=OPEN)
            .order_by()
            .update(
                status=Status.QUEUED,
                attempts=0,
                lost=0,
                rings=0,
                run_after=Now(),
                ring_after=PARKED,
                finished_at=None,
                tried_at=None,
                overtook=None,
            )
        )

    def to_endpoints_off(self) -> "WebhookDeliveryQuerySet":
        """Return those whose endpoint is switched off: nothing goes there until it is resumed."""
        off = WebhookEndpoint.objects.filter(status=WebhookEndpoint.Status.OFF)
        return self.filter(endpoint__in=off)

    def to_endpoints_on(self) -> "WebhookDeliveryQuerySet":
        """Return the others: their endpoint takes deliveries, or is paused and will."""
        on = WebhookEndpoint.objects.exclude(status=WebhookEndpoint.Status.OFF)
        return self.filter(endpoint__in=on)

    def replay(self) -> int:
        """Send those again that ended, however they did; return how many.

        What went to an endpoint that is switched off stays as it is: it would wait for ever.
        """
        return self.to_endpoints_on().queue_again()


class WebhookDelivery(Job):
    """One event for one endpoint. Its id is the `webhook-id` of each attempt and each replay."""

    queue = "notify"
    task = "notifications.tasks.deliver"
    app = "webhook"
    lease = timedelta(seconds=60)  # more than `sending.SECONDS` and the look-up of a name
    window = 2000  # more than messages may have: admission is the bound
    is_of_order = False  # what other systems hear of it isn't part of it

    retry_after: timedelta | None = None
    """How long the endpoint asked this attempt's process to wait."""
    sent: dict[str, Any] | None = None
    """What this process' attempt was, for the log: see `notifications.webhooks.attempts`."""

    endpoint = models.ForeignKey(
        WebhookEndpoint,
        models.PROTECT,
        related_name="deliveries",
        verbose_name=_("endpoint"),
        # Its check would make each placed order lock the endpoint's row.
        db_constraint=False,
        db_index=False,  # `webhookdelivery_of_endpoint`, below
    )
    position = models.BigIntegerField(
        _("position"),
        db_default=Func(
            Value("notifications_delivery_position"),
            function="nextval",
            output_field=models.BigIntegerField(),
        ),
        editable=False,
    )
    """Grows in the order in which an order's events were committed: its row was locked."""
    ring_after = models.DateTimeField(_("ring after"), db_default=Value(PARKED))
    body = models.TextField(_("body"), blank=True, default="", db_default="")
    """What is sent: made at the first attempt, and the same for all."""
    answer_status = models.PositiveSmallIntegerField(_("status of the answer"), null=True)
    """Of the last attempt; None: there was no answer."""
    tried_at = models.DateTimeField(_("first tried"), null=True, editable=False)
    overtook = models.UUIDField(_("overtook"), null=True, editable=False)
    """The earlier delivery of its order that it didn't wait for any more."""
    attempts_log = models.JSONField(
        _("attempts"), default=list, db_default=[], blank=True, encoder=DjangoJSONEncoder
    )
    """Each attempt, oldest first: see `notifications.webhooks.attempts`."""

    objects: ClassVar = WebhookDeliveryQuerySet.as_manager()

    class Meta(Job.Meta):
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints = Job.Meta.constraints
        indexes = [
            *(index for index in Job.Meta.indexes if index is not BY_ORDER),
            models.Index(fields=["order_id"], name="webhookdelivery_order"),
            models.Index(
                fields=["endpoint", "-created_at", "-id"], name="webhookdelivery_of_endpoint"
            ),
            # What admission reads: those that wait, the earlier ones of an order, those on the way.
            models.Index(
                fields=["endpoint", "position"],
                name="webhookdelivery_waiting",
                condition=Q(status="queued", ring_after=PARKED),
            ),
            models.Index(
                fields=["endpoint", "order_id", "position"],
                name="webhookdelivery_lane",
                condition=Q(status__in=["queued", "running"]),
            ),
            models.Index(
                fields=["endpoint"],
                name="webhookdelivery_going",
                condition=Q(status__in=["queued", "running"]) & ~Q(ring_after=PARKED),
            ),
        ]
