"""The waiting lists of sold-out products, and the restocks that their people were told of."""

from django.conf import settings
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders.models.product import Product
from project.email_addresses import STORED


class Restock(models.Model):
    """A product with a waiting list came back: from its first unit until it is sold out again."""

    product = models.ForeignKey(
        Product,
        models.CASCADE,
        related_name="restocks",
        verbose_name=_("product"),
    )
    opened_at = models.DateTimeField(_("since"), db_default=Now(), editable=False)
    ended_at = models.DateTimeField(_("until"), null=True, editable=False)
    wave_at = models.DateTimeField(db_default=Now(), editable=False)
    """The begin of the wave in which people of the list are told."""
    wave_told = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    told = models.PositiveIntegerField(_("told"), default=0, db_default=0, editable=False)

    class Meta:
        verbose_name = _("restock")
        verbose_name_plural = _("restocks")
        constraints = [
            models.UniqueConstraint(
                fields=["product"], condition=Q(ended_at=None), name="one_open_restock_per_product"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("opened_at")),
                name="restock_ends_after_it_began",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id}: {self.opened_at}"


class WaitingListEntry(models.Model):
    """An address that wants to be told when a product is back. It counts once it is confirmed."""

    id = models.UUIDField(primary_key=True, editable=False)
    """Derived from product and address by a secret: the links in the messages carry it."""
    product = models.ForeignKey(
        Product,
        models.CASCADE,
        related_name="waiting_list",
        verbose_name=_("product"),
        db_index=False,  # the unique constraint's index begins with it
    )
    email = models.CharField(pgettext_lazy("address", "E-mail"), max_length=254)
    language = models.CharField(_("language"), max_length=7, choices=settings.LANGUAGES)
    created_at = models.DateTimeField(_("asked"), db_default=Now(), editable=False)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True, editable=False)
    told_for = models.ForeignKey(
        Restock, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    """The last restock that it was told of."""
    told_at = models.DateTimeField(_("told"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("waiting list entry")
        verbose_name_plural = _("waiting lists")
        constraints = [
            models.UniqueConstraint(
                "product", Lower("email"), name="waiting_once_per_product_and_address"
            ),
            models.CheckConstraint(
                condition=Q(email__regex=STORED), name="waiting_email_has_the_one_form"
            ),
            models.CheckConstraint(
                condition=Q(told_at=None) | Q(confirmed_at__isnull=False),
                name="waiting_is_told_only_when_confirmed",
            ),
        ]
        indexes = [
            # In the order in which they are told: `orders.messages.back_in_stock`.
            models.Index(
                F("product"),
                F("told_for").asc(nulls_first=True),
                F("created_at"),
                F("id"),
                name="waiting_turn",
                condition=Q(confirmed_at__isnull=False),
            ),
            models.Index(fields=["created_at", "id"], name="waiting_newest"),
            models.Index(OpClass(Lower("email"), name="text_pattern_ops"), name="waiting_email"),
        ]

    def __str__(self) -> str:
        return self.email
