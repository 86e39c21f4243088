"""The issue of invoices and credit notes, within the transaction of the step that causes it.

The order is locked by the caller, so an order gets one invoice however many issue it at once. The
number is taken last, and the paper's job is written with it: all of it is committed or nothing.
"""

from collections.abc import Mapping
from decimal import Decimal

from django.conf import settings
from django.db.models import F, Sum
from django.utils import translation
from django.utils.translation import gettext as _

from media_jobs.models import MediaJob
from media_jobs.outbox import invoice_job
from orders.invoicing.numbers import take_number
from orders.invoicing.snapshot import InvoicedLine, credit_note_data, invoice_data
from orders.invoicing.tax import ZERO
from orders.models import Invoice, Order, OrderLine, Refund, User
from orders.models.invoice import InvoiceKind
from project.database.clock import database_now

ISSUED_ON: Mapping[str, tuple[str, ...]] = {
    "paid": (Order.Status.PAID,),
    # An order that is picked up is never shipped.
    "shipped": (Order.Status.SHIPPED, Order.Status.DELIVERED),
    "by_hand": (),
}
"""The steps that issue an order's invoice, by `INVOICE_ON`."""


class NoInvoiceError(Exception):
    """No invoice can be issued; the message says why to the operator."""


def missing_settings() -> list[str]:
    """Return the names of the settings that an invoice needs and that are not set."""
    needed = {
        "COMPANY_NAME": settings.COMPANY_NAME,
        "COMPANY_ADDRESS": settings.COMPANY_ADDRESS,
        "COMPANY_TAX_ID": settings.COMPANY_TAX_ID,
        "TAX_RATE": settings.TAX_RATE is not None,
    }
    return [name for name, value in needed.items() if not value]


def issue(order: Order, *, user: User | None = None) -> Invoice:
    """Issue the invoice of a locked order, or return the one that it has.

    It is for the units that weren't refunded yet. Raises NoInvoiceError.
    """
    if issued := invoice_of(order):
        return issued
    if missing := missing_settings():
        raise NoInvoiceError(
            _("Invoices need %(names)s in the shop's settings: ask the engineer who runs it.")
            % {"names": ", ".join(missing)}
        )
    lines = _invoiced(order)
    if order.status in (Order.Status.CANCELLED, Order.Status.REFUNDED) or not lines:
        raise NoInvoiceError(_("Order %(number)s has nothing left to invoice.") % {"number": order})
    paid = order.payments.aggregate(sum=Sum("amount"))["sum"] or ZERO
    refunded = order.refunds.exclude(status=Refund.Status.NOT_OWED).aggregate(sum=Sum("amount"))
    invoice = Invoice(order=order, kind=InvoiceKind.INVOICE, user=user)
    invoice.number = take_number(InvoiceKind.INVOICE)
    invoice.issued_at = database_now()
    invoice.data = invoice_data(
        order,
        lines,
        number=invoice.display_number,
        now=invoice.issued_at,
        paid=paid - (refunded["sum"] or ZERO),
    )
    return _save(invoice)


def issue_on(step: str, order: Order, *, user: User | None) -> None:
    """Issue the order's invoice if the setting `INVOICE_ON` wants it at this step."""
    if step in ISSUED_ON[settings.INVOICE_ON]:
        issue(order, user=user)


def credit(
    order: Order, refund: Refund, units: Mapping[OrderLine, int], *, delivery: Decimal
) -> None:
    """Issue the credit note of a refund, if its order has an invoice.

    `units` are the refunded units by line, `delivery` the refunded part of the delivery price.
    """
    lines = [_line(line, count) for line, count in units.items()]
    _credit(order, lines + _delivery(order, delivery), refund=refund, reason=refund.reason)


def credit_rest(order: Order, *, reason: str) -> None:
    """Issue the credit note of a cancelled order for what is left of its invoice, if it has one."""
    _credit(order, _invoiced(order), refund=None, reason=reason)


def invoice_of(order: Order) -> Invoice | None:
    """Return the order's invoice, if it was issued."""
    return Invoice.objects.filter(order=order, kind=InvoiceKind.INVOICE).first()


def _credit(order: Order, lines: list[InvoicedLine], *, refund: Refund | None, reason: str) -> None:
    invoice = invoice_of(order)
    if invoice is None:
        return
    notes = Invoice.objects.filter(order=order, kind=InvoiceKind.CREDIT_NOTE)
    earlier = sum((Decimal(data["total"]) for data in notes.values_list("data", flat=True)), ZERO)
    note = Invoice(order=order, kind=InvoiceKind.CREDIT_NOTE, refund=refund, user=None)
    if refund is not None:
        note.user = refund.user
    note.number = take_number(InvoiceKind.CREDIT_NOTE)
    note.issued_at = database_now()
    note.data = credit_note_data(
        invoice,
        lines,
        number=note.display_number,
        now=note.issued_at,
        earlier=earlier,
        reason=reason,
    )
    _save(note)


def _save(invoice: Invoice) -> Invoice:
    invoice.save(force_insert=True)
    MediaJob.objects.bulk_create(
        [
            invoice_job(
                invoice_id=invoice.pk,
                order_id=invoice.order_id,
                kind=invoice.kind,
                context=invoice.data,
            )
        ]
    )
    return invoice


def _invoiced(order: Order) -> list[InvoicedLine]:
    """Return the units that weren't refunded yet, and the delivery."""
    left = order.lines.filter(quantity__gt=F("refunded"))
    lines = [_line(line, line.quantity - line.refunded) for line in left]
    return lines + _delivery(order, order.delivery_total) if lines else []


def _line(line: OrderLine, count: int) -> InvoicedLine:
    return InvoicedLine(line.sku, line.name, count, line.unit_price, line.unit_price * count)


def _delivery(order: Order, price: Decimal) -> list[InvoicedLine]:
    if not price:
        return []
    with translation.override(order.language):
        label = order.delivery.get("label")
        name = _("Delivery: %(label)s") % {"label": label} if label else _("Delivery")
        return [InvoicedLine("", name, 1, price, price)]
