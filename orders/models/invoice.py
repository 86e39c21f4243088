"""Invoices and credit notes, and the counters of their numbers."""

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from orders.models.money import Refund
from orders.models.order import Order


class InvoiceKind(models.TextChoices):
    INVOICE = "invoice", _("Invoice")
    CREDIT_NOTE = "credit_note", _("Credit note")


PREFIXES = {InvoiceKind.INVOICE: "INV-", InvoiceKind.CREDIT_NOTE: "CN-"}


class InvoiceCounter(models.Model):
    """The last number of a kind. Its row is locked until the invoice that took it is committed."""

    kind = models.CharField(_("kind"), max_length=11, choices=InvoiceKind, primary_key=True)
    last = models.BigIntegerField(_("last number"))

    class Meta:
        verbose_name = _("invoice counter")
        verbose_name_plural = _("invoice counters")

    def __str__(self) -> str:
        return f"{PREFIXES[InvoiceKind(self.kind)]}{self.last}"


class Invoice(models.Model):
    """An issued invoice or credit note. It never changes: a trigger refuses it.

    The numbers of a kind have no gap. An order has one invoice. Each refund of an invoiced order's
    units has one credit note; its cancellation has one without a refund.
    """

    order = models.ForeignKey(
        Order, models.PROTECT, related_name="invoices", verbose_name=_("order")
    )
    kind = models.CharField(_("kind"), max_length=11, choices=InvoiceKind)
    number = models.BigIntegerField(_("number"))
    refund = models.OneToOneField(
        Refund,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="credit_note",
        verbose_name=_("refund"),
    )
    issued_at = models.DateTimeField(_("issued"), db_default=Now())
    data = models.JSONField(_("content"), encoder=DjangoJSONEncoder)
    """All that is printed (`orders.invoicing.snapshot`); a corrected order doesn't change it."""
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "number"], name="invoice_number_once"),
            models.UniqueConstraint(
                fields=["order"], condition=Q(kind="invoice"), name="one_invoice_per_order"
            ),
            models.UniqueConstraint(
                fields=["order"],
                condition=Q(kind="credit_note", refund=None),
                name="one_credit_note_without_refund",
            ),
            models.CheckConstraint(
                condition=Q(kind="invoice", refund=None) | Q(kind="credit_note"),
                name="invoice_has_no_refund",
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="invoice_numbers_begin_at_one"),
        ]

    def __str__(self) -> str:
        return self.display_number

    @property
    def display_number(self) -> str:
        """The number with its prefix, as papers and pages show it."""
        return f"{PREFIXES[InvoiceKind(self.kind)]}{self.number}"
