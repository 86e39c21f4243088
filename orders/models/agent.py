"""What shopping agents leave: their platforms, carts, checkouts, and answers that are kept.

See docs/agents.md. Only `orders.agents` writes them; the checkout page reads a checkout that an
agent hands over.
"""

from typing import Any, TypeAlias
from uuid import uuid4

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KT
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from project.email_addresses import STORED


class AgentPlatform(models.Model):
    """A platform whose agents shop here, by the address of its profile."""

    profile_url = models.CharField(_("profile"), max_length=500, unique=True)
    document: Any = models.JSONField(_("document"), default=dict, blank=True)
    """Its profile as it was fetched last, or as the shop was given it; empty: never read."""
    is_known = models.BooleanField(_("known"), default=False, db_default=False)
    """The shop knows it: the document was given by an operator, and isn't fetched."""
    contact_email = models.EmailField(_("e-mail for its orders"), blank=True, default="")
    """Where confirmations go of orders whose buyer has no address; only a known platform has it."""
    fetched_at = models.DateTimeField(_("fetched"), null=True, blank=True)
    first_seen_at = models.DateTimeField(_("first seen"), null=True, db_default=Now())
    """None: it came before the shop wrote this down."""
    used_at = models.DateTimeField(_("last used"), db_default=Now())
    blocked_at = models.DateTimeField(_("blocked"), null=True, blank=True)
    """Since then its carts and checkouts are refused (`orders.agents.blocking`)."""
    block_reason = models.CharField(
        _("reason"), max_length=200, blank=True, default="", db_default=""
    )

    class Meta:
        verbose_name = _("agent platform")
        verbose_name_plural = _("agent platforms")
        ordering = ["profile_url"]
        constraints = [
            models.CheckConstraint(
                condition=Q(contact_email="") | Q(is_known=True, contact_email__regex=STORED),
                name="only_known_platforms_have_a_contact",
            ),
            models.CheckConstraint(
                condition=Q(blocked_at=None, block_reason="")
                | (Q(blocked_at__isnull=False) & ~Q(block_reason="")),
                name="agent_platform_blocked_with_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["used_at"], name="agent_platform_by_use")]

    def __str__(self) -> str:
        return self.profile_url


class AgentCart(models.Model):
    """What an agent collects before anybody wants to buy it."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    platform = models.ForeignKey(
        AgentPlatform, models.CASCADE, related_name="carts", verbose_name=_("platform")
    )
    wanted: Any = models.JSONField(default=dict)
    """Lines, buyer, context and codes, as `orders.agents.wanted` writes them."""
    canceled_at = models.DateTimeField(_("cancelled"), null=True)
    created_at = models.DateTimeField(_("created"), db_default=Now())
    changed_at = models.DateTimeField(_("changed"), db_default=Now(), db_index=True)

    class Meta:
        verbose_name = _("cart of an agent")
        verbose_name_plural = _("carts of agents")

    def __str__(self) -> str:
        return str(self.pk)


class CheckoutStage(models.TextChoices):
    OPEN = "open", pgettext_lazy("stage of an agent's checkout", "Open")
    COMPLETING = "completing", pgettext_lazy("stage of an agent's checkout", "Being completed")
    COMPLETED = "completed", pgettext_lazy("stage of an agent's checkout", "Completed")
    CANCELED = "canceled", pgettext_lazy("stage of an agent's checkout", "Cancelled")


class AgentCheckout(models.Model):
    """A checkout session. Its order's idempotency key is its id, so it becomes one order."""

    Stage: TypeAlias = CheckoutStage

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    platform = models.ForeignKey(
        AgentPlatform, models.CASCADE, related_name="checkouts", verbose_name=_("platform")
    )
    cart = models.ForeignKey(
        AgentCart, models.SET_NULL, null=True, related_name="checkouts", verbose_name=_("cart")
    )
    stage = models.CharField(
        _("stage"),
        max_length=10,
        choices=CheckoutStage,
        default=CheckoutStage.OPEN,
        db_default="open",
    )
    wanted: Any = models.JSONField(default=dict)
    """As in a cart, with delivery and payment, but never with a credential; and what the last
    answer showed and said."""
    answer: Any = models.JSONField(default=dict)
    """The last answer of a completed checkout, which doesn't change any more."""
    escalated: Any = models.JSONField(default=dict)
    """The message about what a person has to do; empty: nothing."""
    order_id = models.UUIDField(_("order"), null=True, editable=False)
    """Like a job's, it is no foreign key: checkouts are deleted."""
    places = models.UUIDField(null=True, editable=False)
    """The id of the order that its completion places, from before that is placed: the order's
    events find their platform by it."""
    events_to = models.ForeignKey(
        "notifications.WebhookEndpoint",
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("events go to"),
    )
    created_at = models.DateTimeField(_("created"), db_default=Now())
    changed_at = models.DateTimeField(_("changed"), db_default=Now(), db_index=True)
    expires_at = models.DateTimeField(_("until"))

    class Meta:
        verbose_name = _("agent checkout")
        verbose_name_plural = _("agent checkouts")
        constraints = [
            models.CheckConstraint(
                condition=Q(stage__in=CheckoutStage.values), name="agent_checkout_stage_is_known"
            ),
            models.CheckConstraint(
                condition=Q(stage="completed", order_id__isnull=False)
                | (~Q(stage="completed") & Q(order_id__isnull=True)),
                name="agent_checkout_completed_by_an_order",
            ),
            models.UniqueConstraint(
                fields=["cart"],
                condition=Q(stage__in=("open", "completing")),
                name="one_open_checkout_of_an_agent_cart",
            ),
        ]
        indexes = [
            models.Index(
                fields=["order_id"],
                name="agent_checkout_of_order",
                condition=Q(order_id__isnull=False),
            ),
            models.Index(
                fields=["places"],
                name="agent_checkout_places",
                condition=Q(places__isnull=False),
            ),
            models.Index(
                fields=["platform", "stage", "changed_at"], name="agent_checkout_of_platform"
            ),
            models.Index(
                OpClass(Lower(KT("wanted__buyer__email")), name="text_pattern_ops"),
                name="agent_checkout_of_buyer",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class AgentAnswer(models.Model):
    """The answer to a request with an Idempotency-Key, for its repeats."""

    key = models.UUIDField(primary_key=True, editable=False)
    """Of platform, operation and the platform's key, by HMAC."""
    fingerprint = models.CharField(max_length=64, editable=False)
    """SHA-256 of the request: another one under the same key is refused."""
    status = models.PositiveSmallIntegerField(null=True)
    """The HTTP status; None: it was never answered, so a repeat does it again."""
    body: Any = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        verbose_name = _("kept answer to an agent")
        verbose_name_plural = _("kept answers to agents")

    def __str__(self) -> str:
        return str(self.key)


class AgentInstrument(models.Model):
    """A payment instrument of the simulated bank for agents, of a local run."""

    token = models.CharField(_("token"), max_length=100, unique=True)
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=40)
    declines = models.BooleanField(_("declines"), default=False, db_default=False)

    class Meta:
        verbose_name = _("instrument of an agent")
        verbose_name_plural = _("instruments of agents")

    def __str__(self) -> str:
        return self.name


class DeliveryRate(models.Model):
    """One price of the carrier whose prices are in a table (`orders.quotes.carriers.table`)."""

    code = models.CharField(_("code"), max_length=40, unique=True)
    country = models.CharField(_("country"), max_length=2, blank=True, default="")
    """ISO 3166-1 alpha-2; empty: wherever its service has no price of its own."""
    service = models.CharField(_("service"), max_length=40)
    label = models.CharField(_("label"), max_length=100)
    price = models.DecimalField(_("price"), max_digits=10, decimal_places=2)

    class Meta:
        verbose_name = _("delivery rate")
        verbose_name_plural = _("delivery rates")
        constraints = [
            models.UniqueConstraint(fields=["country", "service"], name="one_rate_per_service"),
            models.CheckConstraint(condition=Q(price__gte=0), name="rate_is_not_negative"),
        ]

    def __str__(self) -> str:
        return self.code
