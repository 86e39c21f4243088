"""Sales: a counter per product, and an entry per order and product."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from orders.models.product import Product


class ProductSales(models.Model):
    """The units and the amount sold of a product. Invariant: the sum of the product's entries."""

    product = models.OneToOneField(
        Product,
        models.CASCADE,
        primary_key=True,
        related_name="sales",
        verbose_name=_("product"),
    )
    units = models.BigIntegerField(_("units sold"), default=0)
    amount = models.DecimalField(_("amount"), max_digits=20, decimal_places=2, default=0)

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
    """The *current* share of one order in one product's sales.

    The sales writer sets an entry and never adds to it, so a repeat changes nothing. There is no
    foreign key to the order: sales are counted in parallel with stock, before the order's commit.
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


class SalesQuarter(models.Model):
    """The sales of a quarter of an hour: a summary of its orders, for the desk's overview.

    `orders.reports.quarters` writes it. It can be counted anew from the orders at any time.
    Quarters, because each zone's midnight is the beginning of one: India's is no full hour of UTC.
    """

    begins_at = models.DateTimeField(_("begin"), primary_key=True)
    orders = models.PositiveIntegerField(_("orders"))
    """Those that aren't cancelled or refunded."""
    amount = models.DecimalField(_("amount"), max_digits=20, decimal_places=2)
    units = models.BigIntegerField(_("units sold"))
    units_by_product = models.JSONField(default=dict)
    """The sold units by the product's id."""

    class Meta:
        verbose_name = _("sales of a quarter of an hour")
        verbose_name_plural = _("sales by quarter of an hour")
        ordering = ["begins_at"]

    def __str__(self) -> str:
        return f"{self.begins_at:%Y-%m-%d %H:%M}: {self.orders}"


class AuditedBalance(models.Model):
    """A product's counters less their ledgers' rows since the audit's mark, as last audited.

    Only `orders.audits.balances` uses it, to see which products to audit; losing it loses nothing.
    """

    product = models.OneToOneField(
        Product, models.CASCADE, primary_key=True, related_name="+", verbose_name=_("product")
    )
    stock = models.BigIntegerField()
    """Available less initial units."""
    sold = models.BigIntegerField()
    amount = models.DecimalField(max_digits=20, decimal_places=2)
    is_checked = models.BooleanField()
    """False: noted by an audit that hasn't ended clean, so it proves nothing."""

    class Meta:
        verbose_name = _("audited balance")
        verbose_name_plural = _("audited balances")

    def __str__(self) -> str:
        return f"{self.product_id}: {self.stock}, {self.sold}"
