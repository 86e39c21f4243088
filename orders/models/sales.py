"""Sales: a counter per product, and what each order counts for in it."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from orders.models.product import Product


class ProductSales(models.Model):
    """Units and amount sold. Invariant: the sum of the product's entries."""

    product = models.OneToOneField(
        Product,
        models.CASCADE,
        primary_key=True,
        related_name="sales",
        verbose_name=_("product"),
    )
    units = models.BigIntegerField(_("units sold"), default=0)
    amount = models.DecimalField(_("amount"), max_digits=16, decimal_places=2, default=0)

    class Meta:
        verbose_name = _("product sales")
        verbose_name_plural = _("product sales")
        constraints = [
            models.CheckConstraint(
                condition=Q(units__gte=0, amount__gte=0), name="sales_are_not_negative"
            )
        ]

    def __str__(self) -> str:
        return f"{self.product_id}: {self.units}"


class SalesEntry(models.Model):
    """What one order counts for in one product's sales *now*.

    Set to its target, never added to, so doing it again changes nothing. No foreign key to the
    order: sales are counted in parallel with stock, before the order is committed.
    """

    order_id = models.UUIDField(_("order"))
    product = models.ForeignKey(
        Product, models.PROTECT, related_name="sales_entries", verbose_name=_("product")
    )
    units = models.IntegerField(_("units"))
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    changed_at = models.DateTimeField(_("changed"), db_default=Now(), db_index=True)

    class Meta:
        verbose_name = _("sales entry")
        verbose_name_plural = _("sales entries")
        constraints = [
            models.UniqueConstraint(
                fields=["order_id", "product"], name="sales_entry_once_per_order"
            ),
            models.CheckConstraint(
                condition=Q(units__gt=0, amount__gte=0), name="sales_entry_counts_something"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.product_id}: {self.units}"
