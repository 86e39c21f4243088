"""The money ledger of an order: payments and refunds."""

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from orders.models.order import Order, OrderLine


class Payment(models.Model):
    """A payment for an order, in full or in part. Rows are only inserted."""

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
    """Identifies the payment: a transaction's id or a receipt's number."""
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
            # The ledger's key: a repeated request enters the payment once.
            models.UniqueConstraint(
                fields=["order", "method", "reference"], name="payment_once_per_reference"
            ),
            # An order of free goods costs zero.
            models.CheckConstraint(condition=Q(amount__gte=0), name="payment_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.method} {self.reference}"


class Refund(models.Model):
    """A refund for an order, in full or in part. Rows are only inserted.

    The caller chooses the id, so a repeated request makes one refund. The refund of a cancelled
    order has no lines: it returns the payments.
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
        # As of the stock's movements.
        indexes = [BrinIndex("created_at", name="refund_by_time", autosummarize=True)]

    def __str__(self) -> str:
        return str(self.amount)


class RefundLine(models.Model):
    """The units of one order line that a refund includes."""

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
