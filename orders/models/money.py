"""Money: what was paid for an order, and what of it was given back."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from orders.models.order import Order, OrderLine


class Payment(models.Model):
    """Money that came in for an order, the whole or a part. Written once, never changed."""

    class Method(models.TextChoices):
        TRANSFER = "transfer", _("Bank transfer")
        CARD = "card", _("Card")
        CASH = "cash", _("Cash")
        OTHER = "other", _("Other")

    order = models.ForeignKey(
        Order,
        models.PROTECT,
        related_name="payments",
        verbose_name=_("order"),
        db_index=False,  # the unique constraint's index begins with it
    )
    method = models.CharField(_("method"), max_length=20, choices=Method)
    reference = models.CharField(_("reference"), max_length=100)
    """What tells the payment from others: a transaction's id, a receipt's number."""
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("when"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["pk"]
        constraints = [
            # The ledger's key: the same payment is taken once, however often it is told.
            models.UniqueConstraint(
                fields=["order", "method", "reference"], name="payment_once_per_reference"
            ),
            # Zero is what an order of free goods costs.
            models.CheckConstraint(condition=Q(amount__gte=0), name="payment_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.method} {self.reference}"


class Refund(models.Model):
    """Money given back, the whole or a part. Written once, never changed.

    Its id is the caller's: the same refund is made once, however often it is asked for. The
    refund of a cancelled order has no lines: it gives back what had been paid.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    order = models.ForeignKey(
        Order, models.PROTECT, related_name="refunds", verbose_name=_("order")
    )
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    restocked = models.BooleanField(_("back in stock"))
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("when"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ["created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0), name="refund_is_not_negative"),
        ]

    def __str__(self) -> str:
        return str(self.amount)


class RefundLine(models.Model):
    """How many units of an order's line a refund is for."""

    refund = models.ForeignKey(
        Refund,
        models.PROTECT,
        related_name="lines",
        verbose_name=_("refund"),
        db_index=False,  # the unique constraint's index begins with it
    )
    line = models.ForeignKey(
        OrderLine, models.PROTECT, related_name="refund_lines", verbose_name=_("order line")
    )
    quantity = models.IntegerField(_("quantity"))

    class Meta:
        verbose_name = _("refund line")
        verbose_name_plural = _("refund lines")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["refund", "line"], name="refund_line_once"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="refund_line_has_a_quantity"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.line_id}"
