"""The money ledger of an order: payments and refunds."""

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from orders.models.order import Order, OrderLine


class Payment(models.Model):
    """A payment for an order, in full or in part. Rows are only inserted.

    A mistyped payment is undone by a counter-entry: a payment of the negative amount.
    """

    class Method(models.TextChoices):
        TRANSFER = "transfer", _("Bank transfer")
        CARD = "card", _("Card")
        CASH = "cash", _("Cash")
        ONLINE = "online", _("Online")
        OTHER = "other", _("Other")

    BY_HAND = (Method.TRANSFER, Method.CARD, Method.CASH, Method.OTHER)
    """The methods of payments that an operator enters; a provider enters those made online."""

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
    provider = models.CharField(
        _("provider"), max_length=20, blank=True, default="", db_default="", editable=False
    )
    """The payment provider that took the money (`orders.payments`); empty if entered by hand."""
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    undoes = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="undone_by",
        verbose_name=_("undoes"),
    )
    """The payment that this row is the counter-entry of."""
    reason = models.CharField(
        _("reason"), max_length=200, blank=True, default="", db_default="", editable=False
    )
    """Why the payment was undone."""
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
            # Webhook and return page report the same payment: it is entered once.
            models.UniqueConstraint(
                fields=["provider", "reference"],
                condition=~Q(provider=""),
                name="payment_once_per_provider",
            ),
            # An order of free goods costs zero.
            models.CheckConstraint(
                condition=Q(amount__gte=0, undoes=None) | Q(amount__lt=0, undoes__isnull=False),
                name="payment_is_negative_if_it_undoes_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.method} {self.reference}"


class Refund(models.Model):
    """Money that the shop owes to a customer, or has paid out: for an order, in full or in part.

    The caller chooses the id, so a repeated request makes one refund. The refund of a cancelled
    order, or of money that it didn't need, has no lines: it returns payments. Its amount never
    changes; its status moves from owed to paid out, or to not owed if the payment was a mistake.
    """

    class Status(models.TextChoices):
        OWED = "owed", _("Owed")
        PAID_OUT = "paid_out", _("Paid out")
        NOT_OWED = "not_owed", _("Not owed")

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
    status = models.CharField(
        _("status"), max_length=8, choices=Status, default=Status.OWED, db_default="owed"
    )
    payout_reference = models.CharField(
        _("reference"), max_length=100, blank=True, default="", db_default=""
    )
    """Identifies the pay-out, such as the transfer's id."""
    paid_out_at = models.DateTimeField(_("paid out"), null=True, blank=True)
    paid_out_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("paid out by"),
    )

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ["created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0), name="refund_is_not_negative"),
            models.CheckConstraint(
                condition=Q(status="paid_out", paid_out_at__isnull=False)
                | Q(status__in=["owed", "not_owed"], paid_out_at=None),
                name="refund_is_paid_out_at_a_time",
            ),
        ]
        indexes = [
            # The worklist of the desk.
            models.Index("created_at", "id", condition=Q(status="owed"), name="refund_owed"),
            # As of the stock's movements.
            BrinIndex("created_at", name="refund_by_time", autosummarize=True),
        ]

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
