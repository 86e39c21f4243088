"""Accounts that their people have linked with an agent's platform (OAuth 2.0, docs/agents.md)."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from orders.models.agent import AgentPlatform
from project.database.keys import time_ordered_key


class AgentClient(models.Model):
    """A program of a known platform that may ask people to link their accounts."""

    client_id = models.CharField(_("client"), max_length=100, unique=True)
    platform = models.ForeignKey(
        AgentPlatform, models.CASCADE, related_name="clients", verbose_name=_("platform")
    )
    name = models.CharField(_("name"), max_length=100)
    """What people read where they are asked."""
    secret_hash = models.CharField(max_length=64, blank=True, default="", editable=False)
    """SHA-256 of its secret, which is random; empty: a public client, which has none."""
    redirect_uris = ArrayField(models.CharField(max_length=500), verbose_name=_("return addresses"))

    class Meta:
        verbose_name = _("client of a platform")
        verbose_name_plural = _("clients of platforms")

    def __str__(self) -> str:
        return self.name


class AgentLink(models.Model):
    """One consent: its code until it is redeemed, and then its tokens. All are kept hashed."""

    id = models.UUIDField(primary_key=True, default=time_ordered_key, editable=False)
    client = models.ForeignKey(
        AgentClient, models.CASCADE, related_name="links", verbose_name=_("client")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="agent_links",
        verbose_name=_("user"),
    )
    scopes = ArrayField(models.CharField(max_length=100), verbose_name=_("scopes"))
    redirect_uri = models.CharField(max_length=500, editable=False)
    challenge = models.CharField(max_length=128, editable=False)
    """The code challenge (RFC 7636, S256)."""
    code_hash = models.CharField(max_length=64, blank=True, default="", editable=False)
    code_until = models.DateTimeField(null=True)
    access_hash = models.CharField(max_length=64, blank=True, default="", editable=False)
    access_until = models.DateTimeField(null=True)
    refresh_hash = models.CharField(max_length=64, blank=True, default="", editable=False)
    refresh_until = models.DateTimeField(null=True)
    linked_at = models.DateTimeField(_("linked"), db_default=Now())
    used_at = models.DateTimeField(_("last used"), null=True)
    """As exact as an hour; None: nothing was read yet."""
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        verbose_name = _("linked assistant")
        verbose_name_plural = _("linked assistants")
        constraints = [
            models.UniqueConstraint(
                fields=[name], condition=~Q(**{name: ""}), name=f"agent_link_{name}"
            )
            for name in ("code_hash", "access_hash", "refresh_hash")
        ]
        indexes = [models.Index(fields=["linked_at"], name="agent_link_by_age")]

    def __str__(self) -> str:
        return str(self.pk)
