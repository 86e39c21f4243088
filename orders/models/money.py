"""The money ledger of an order, payments and refunds, and the attempts to pay at a provider."""

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from orders.models.order import Order, OrderLine
from project.database.keys import time_ordered_key


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
        db_index=False,  # a partial one, below: most payments come from a provider
    )
    created_at = models.DateTimeField(_("when"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["user"], name="payment_user", condition=Q(user__isnull=False)),
        ]
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
            # The newest rows, for the audit. Rows come in the order of time, so a summary of each
            # range of pages is enough.
            BrinIndex("created_at", name="refund_by_time", autosummarize=True),
            # The desk's lists of those that are settled.
            models.Index(fields=["status", "-created_at", "-id"], name="refund_by_status"),
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
    units_restocked = models.IntegerField(_("back in stock"), null=True, editable=False)
    """Of a return: its units that are back in stock. None: all or no units, as the refund says."""
    discount = models.DecimalField(
        _("discount"), max_digits=14, decimal_places=2, default=0, db_default=0, editable=False
    )
    """The part of the line's discount that belongs to these units: it was not paid."""

    class Meta:
        verbose_name = _("refund line")
        verbose_name_plural = _("refund lines")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["refund", "line"], name="refund_line_once"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="refund_line_has_a_quantity"),
            models.CheckConstraint(
                condition=Q(units_restocked=None)
                | Q(units_restocked__gte=0, units_restocked__lte=F("quantity")),
                name="refund_line_restocks_its_units",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.line_id}"


class PaymentAttempt(models.Model):
    """A customer's way to a payment provider and back, for one amount of one order.

    It isn't part of the ledger: money counts only as a `Payment`, which `orders.payments` enters
    when the provider reports an attempt as paid.
    """

    class Status(models.TextChoices):
        STARTED = "started", _("Started")
        PAID = "paid", _("Paid")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")
        TO_CHECK = "to_check", _("To check")

    class Doubt(models.TextChoices):
        """Why a reported payment wasn't entered."""

        AMOUNT = "amount", _("Another amount or currency")
        ATTEMPT = "attempt", _("Another attempt's payment")
        KNOWN = "known", _("A payment that is entered already, otherwise")

    id = models.UUIDField(primary_key=True, default=time_ordered_key, editable=False)
    """Also the idempotency key at the provider."""
    order = models.ForeignKey(
        Order,
        models.PROTECT,
        related_name="payment_attempts",
        verbose_name=_("order"),
        db_index=False,  # payment_attempt_by_order begins with it
    )
    provider = models.CharField(_("provider"), max_length=20)
    reference = models.CharField(
        _("reference"), max_length=255, blank=True, default="", db_default=""
    )
    """The provider's id of the attempt; empty until it answered."""
    url = models.TextField(_("address"), blank=True, default="", db_default="")
    """The provider's page, on which the customer pays."""
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3)
    status = models.CharField(
        _("status"), max_length=9, choices=Status, default=Status.STARTED, db_default="started"
    )
    doubt = models.CharField(
        _("doubt"), max_length=7, choices=Doubt, blank=True, default="", db_default=""
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True, default="", db_default="")
    """The provider's words about a failure, or what it reported if that doesn't fit."""
    created_at = models.DateTimeField(_("when"), db_default=Now(), editable=False)
    returned_at = models.DateTimeField(_("customer came back"), null=True, blank=True)
    look_after = models.DateTimeField(_("asked again after"), db_default=Now())
    """When the provider is asked next, while the attempt is started."""
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("payment attempt")
        verbose_name_plural = _("payment attempts")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "reference"],
                condition=~Q(reference=""),
                name="payment_attempt_once",
            ),
            # A double click leads to one page of the provider, where one can pay once.
            models.UniqueConstraint(
                fields=["order", "provider", "amount"],
                condition=Q(status="started"),
                name="payment_attempt_open_once",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_attempt_has_an_amount"),
            models.CheckConstraint(
                condition=Q(status="to_check") ^ Q(doubt=""),
                name="payment_attempt_to_check_has_a_doubt",
            ),
        ]
        indexes = [
            models.Index(fields=["order", "-created_at"], name="payment_attempt_by_order"),
            models.Index(fields=["-created_at", "-id"], name="payment_attempt_latest"),
            models.Index(
                fields=["look_after"], condition=Q(status="started"), name="payment_attempt_open"
            ),
            models.Index(
                fields=["-created_at", "-id"],
                condition=Q(status="to_check"),
                name="payment_attempt_to_check",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} {self.provider}"
