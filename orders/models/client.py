"""API clients: other systems that work with the shop, their keys, and the answers they were given.

A client is a warehouse, an accountant or an app. What it does is done by a user of its own, who
can't sign in: so the timeline, the ledgers and the audit log name the client as they name people.
"""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

MOST_REQUESTS = 1_000_000


class ApiClient(models.Model):
    """Another system. It is switched off rather than deleted: ledgers name it."""

    name = models.CharField(
        _("name"), max_length=100, unique=True, help_text=_("Such as: Warehouse in Hamburg")
    )
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        editable=False,
        related_name="api_client",
        verbose_name=_("user"),
    )
    """Takes its steps. It has no password, no e-mail and no rights, and is never active."""
    is_active = models.BooleanField(
        _("active"),
        default=True,
        db_default=True,
        help_text=_("Switched off, none of its keys works."),
    )
    requests_per_minute = models.PositiveIntegerField(
        _("requests a minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_REQUESTS)],
        help_text=_("Of all its keys together. Empty: as many as other clients, see Limits."),
    )
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("API client")
        verbose_name_plural = _("API clients")
        ordering = ["name"]
        default_permissions = ("add", "change", "view")
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="client_has_a_name"),
            models.CheckConstraint(
                condition=Q(requests_per_minute=None)
                | Q(requests_per_minute__gte=1, requests_per_minute__lte=MOST_REQUESTS),
                name="client_limit_is_a_number",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ApiKey(models.Model):
    """One key of a client, of which only the digest is kept. A client has several for rotation."""

    client = models.ForeignKey(
        ApiClient, models.PROTECT, related_name="keys", verbose_name=_("API client")
    )
    prefix = models.CharField(_("begins with"), max_length=20, unique=True, editable=False)
    """The readable beginning of the key: people and programs find its row by it."""
    digest = models.BinaryField(max_length=32, editable=False)
    """SHA-256 of the whole key (`orders.clients.secret`)."""
    scopes = ArrayField(models.CharField(max_length=40), verbose_name=_("scopes"))
    """What it may do, such as `orders:read` (`orders.clients.scopes`)."""
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    """Written once a minute at most."""
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("by"),
    )
    """The operator; None: made by the command."""
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["-pk"]
        default_permissions = ()  # who may change the client makes and revokes its keys
        constraints = [
            models.CheckConstraint(condition=~Q(scopes=[]), name="key_has_a_scope"),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}…"

    def is_usable(self, *, now: datetime) -> bool:
        """Tell whether the key works at this time, as far as it says itself."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class ApiAnswer(models.Model):
    """The answer to a client's request under an `Idempotency-Key`: a repeat gets it again."""

    client = models.ForeignKey(
        ApiClient,
        models.PROTECT,
        related_name="answers",
        verbose_name=_("API client"),
        db_index=False,  # the unique constraint's index begins with it
    )
    key = models.CharField(max_length=128)
    fingerprint = models.CharField(max_length=64)
    """SHA-256 of the request, which tells a repeat from another request under the same key."""
    answer = models.TextField(blank=True, default="", db_default="")
    """JSON; empty: the request is being worked on, was refused, or its process died. It is done
    again then: each service behind it does the same thing once."""
    created_at = models.DateTimeField(
        pgettext_lazy("time", "created"), db_default=Now(), db_index=True, editable=False
    )

    class Meta:
        verbose_name = _("answer to an API client")
        verbose_name_plural = _("answers to API clients")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["client", "key"], name="answer_once_per_key"),
        ]

    def __str__(self) -> str:
        return self.key
