"""Scheduled changes of a product: on sale, off sale, or a new price, from one time to another."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from orders.models.product import Product


class ScheduledChange(models.Model):
    """One scheduled change of a product. It is applied once, and reverted once if it has an end.

    It is editable until it is applied. `orders.catalogue.scheduled_changes` applies it.
    """

    class What(models.TextChoices):
        ON_SALE = "on_sale", _("Goes on sale")
        OFF_SALE = "off_sale", _("Goes off sale")
        PRICE = "price", _("New price")

    product = models.ForeignKey(
        Product, models.CASCADE, related_name="scheduled_changes", verbose_name=_("product")
    )
    what = models.CharField(_("what"), max_length=10, choices=What)
    price = models.DecimalField(
        _("new price"), max_digits=10, decimal_places=2, null=True, blank=True
    )
    at = models.DateTimeField(_("from"))
    back_at = models.DateTimeField(_("until"), null=True, blank=True)
    """When the change is reverted; None: never."""
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
        editable=False,
    )
    previous_price = models.DecimalField(
        _("price before"), max_digits=10, decimal_places=2, null=True, blank=True, editable=False
    )
    applied_at = models.DateTimeField(_("applied"), null=True, blank=True, editable=False)
    reverted_at = models.DateTimeField(_("taken back"), null=True, blank=True, editable=False)
    is_kept = models.BooleanField(
        _("kept as it was found"), default=False, db_default=False, editable=False
    )
    """True if the product was changed again before the end, so the change was not reverted."""
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("change at a set time")
        verbose_name_plural = _("changes at a set time")
        ordering = ["at", "pk"]
        indexes = [
            # The relay reads them every two seconds. They stay small while the history grows.
            models.Index(
                fields=["at"], name="scheduled_change_open", condition=Q(applied_at__isnull=True)
            ),
            models.Index(
                fields=["back_at"],
                name="scheduled_change_to_revert",
                condition=Q(reverted_at__isnull=True, back_at__isnull=False),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(what="price", price__isnull=False, price__gte=0)
                | ~Q(what="price") & Q(price__isnull=True),
                name="scheduled_change_has_a_price_if_it_is_one",
            ),
            models.CheckConstraint(
                condition=Q(back_at__isnull=True) | Q(back_at__gt=F("at")),
                name="scheduled_change_ends_after_it_began",
            ),
            models.CheckConstraint(
                condition=Q(reverted_at__isnull=True)
                | Q(applied_at__isnull=False, back_at__isnull=False),
                name="scheduled_change_is_applied_before_it_is_taken_back",
            ),
            models.UniqueConstraint(
                fields=["product", "at", "what"], name="scheduled_change_once_per_moment"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_what_display()} {self.at:%Y-%m-%d %H:%M}"
