"""What is known of the ways to recipients: each gateway's state, and shoppers' numbers."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from notifications.models.notification import Notification


class ChannelState(models.Model):
    """The state of one gateway: breaker, pause and rate limit.

    It is a row, because there are several worker processes, and all must stop asking a dead
    provider. Only `notifications.delivery.breaker` writes the breaker's fields; comments name
    the modules that write the others.
    """

    gateway = models.CharField(_("channel"), max_length=100, primary_key=True)
    """Its name in `notifications.delivery.gateways`."""
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    openings = models.PositiveIntegerField(_("openings in a row"), default=0)
    """The breaker's openings since the provider's last answer; each lasts longer."""
    opened_at = models.DateTimeField(_("not working since"), null=True, blank=True)
    open_until = models.DateTimeField(_("next try"), null=True, blank=True)
    error = models.TextField(_("reason"), blank=True, default="")
    # `notifications.delivery.pausing`
    paused_at = models.DateTimeField(_("paused since"), null=True, blank=True)
    paused_by = models.CharField(_("paused by"), max_length=150, blank=True, default="")
    pause_reason = models.CharField(
        _("reason of the pause"), max_length=200, blank=True, default="", db_default=""
    )
    # `notifications.delivery.rate_limit`
    tokens = models.FloatField(default=0, editable=False)
    """The tokens in the bucket at `filled_at`."""
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


class KnownNumber(models.Model):
    """A phone number that is a shopper's: see `notifications.delivery.known_numbers`."""

    phone = models.CharField(_("phone"), max_length=20, primary_key=True)
    """E.164."""
    known_at = models.DateTimeField(_("known since"), db_default=Now())

    class Meta:
        verbose_name = _("known number")
        verbose_name_plural = _("known numbers")

    def __str__(self) -> str:
        return self.phone
