"""Stock: a counter per product, and the ledger of its movements."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from orders.models.money import Refund
from orders.models.order import Order
from orders.models.product import Product


class Stock(models.Model):
    """A product's units on hand. Invariants: initial + movements = available, available >= 0."""

    product = models.OneToOneField(
        Product,
        models.CASCADE,
        primary_key=True,
        related_name="stock",
        verbose_name=_("product"),
    )
    initial = models.PositiveIntegerField(_("initial"), default=0)
    available = models.IntegerField(_("available"), default=0)

    class Meta:
        verbose_name = _("stock")
        verbose_name_plural = _("stock")
        constraints = [
            models.CheckConstraint(
                condition=Q(available__gte=0), name="stock_available_is_not_negative"
            )
        ]

    def __str__(self) -> str:
        return f"{self.product_id}: {self.available}"


class StockMovement(models.Model):
    """One change of a product's stock, with its reason. Rows are only inserted."""

    class Kind(models.TextChoices):
        ORDER = "order", _("Order")
        CANCEL = "cancel", _("Cancelled order")
        REFUND = "refund", _("Refunded goods")
        CORRECTION = "correction", _("Correction")
        RECEIPT = "receipt", _("Receipt")
        COUNT = "count", _("Count")

    product = models.ForeignKey(
        Product,
        models.PROTECT,
        related_name="movements",
        verbose_name=_("product"),
        db_index=False,  # `movement_of_product` begins with it
    )
    order = models.ForeignKey(
        Order,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="movements",
        verbose_name=_("order"),
        db_index=False,  # the unique constraint's index begins with it
    )
    refund = models.ForeignKey(
        Refund,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="movements",
        verbose_name=_("refund"),
        db_index=False,  # queries use the order's index; another one would slow each order
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    quantity = models.IntegerField(_("quantity"))
    """The units added (above zero) or taken (below zero)."""
    reason = models.CharField(_("reason"), max_length=200, blank=True, default="", db_default="")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
        db_index=False,  # a partial one, below: an order's movements have no user
    )
    key = models.UUIDField(null=True, editable=False)
    """The idempotency key of a correction's form: a repeated form moves stock once."""
    created_at = models.DateTimeField(_("when"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("stock movement")
        verbose_name_plural = _("stock movements")
        ordering = ["-created_at", "-pk"]
        # The ledger at the desk, of all and of one product, and its filter by a kind. An order's
        # movements are most of all: the first index finds them, and the audit's newest rows. It has
        # the id, because a delivery of all products has one time; of one product it has one row.
        indexes = [
            models.Index(fields=["created_at", "id"], name="movement_newest"),
            models.Index(fields=["product", "created_at"], name="movement_of_product"),
            models.Index(
                fields=["kind", "created_at", "id"],
                name="movement_kind_list",
                condition=~Q(kind="order"),
            ),
            models.Index(fields=["user"], name="movement_user", condition=Q(user__isnull=False)),
            # The desk's search for words of a reason: only these have one.
            models.Index(
                fields=["created_at", "id"],
                name="movement_with_reason",
                condition=Q(kind__in=["correction", "receipt", "count"]),
            ),
            models.Index(
                fields=["product", "-id"],
                name="movement_by_hand",
                condition=Q(kind__in=["correction", "receipt", "count"]),
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(quantity=0), name="movement_moves_something"),
            # The ledger's key: an order takes each product once; its cancellation, and each of
            # its refunds, returns each product once.
            models.UniqueConstraint(
                fields=["order", "product", "kind", "refund"],
                nulls_distinct=False,
                condition=Q(order__isnull=False),
                name="movement_once_per_order",
            ),
            models.UniqueConstraint(
                fields=["key"], condition=Q(key__isnull=False), name="movement_once_per_form"
            ),
            models.CheckConstraint(
                condition=Q(kind="order", order__isnull=False, refund__isnull=True, quantity__lt=0)
                | Q(kind="cancel", order__isnull=False, refund__isnull=True, quantity__gt=0)
                | Q(kind="refund", order__isnull=False, refund__isnull=False, quantity__gt=0)
                | Q(kind="receipt", order__isnull=True, refund__isnull=True, quantity__gt=0)
                | Q(kind__in=["correction", "count"], order__isnull=True, refund__isnull=True),
                name="movement_fits_its_kind",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["correction", "receipt", "count"], reason=""),
                name="correction_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity:+d} {self.kind}"


BY_HAND = (
    StockMovement.Kind.CORRECTION,
    StockMovement.Kind.RECEIPT,
    StockMovement.Kind.COUNT,
)
"""The kinds that people write, each with a reason."""


class StockAlert(models.Model):
    """The staff were notified that this product's stock is low.

    The row is deleted when the stock has risen, so that the next fall is notified again.
    """

    product = models.OneToOneField(
        Product,
        models.CASCADE,
        primary_key=True,
        related_name="stock_alert",
        verbose_name=_("product"),
    )
    available = models.IntegerField(_("available"))
    """The units on hand at that time."""
    told_at = models.DateTimeField(_("told"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("low stock")
        verbose_name_plural = _("low stock")

    def __str__(self) -> str:
        return f"{self.product_id}: {self.available}"
