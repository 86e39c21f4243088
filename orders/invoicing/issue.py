"""The issue of invoices and credit notes, within the transaction of the step that causes it.

The order is locked by the caller, so an order gets one invoice however many issue it at once. The
number is taken last, and the paper's job is written with it: all of it is committed or nothing.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.conf import settings
from django.db.models import F, Sum
from django.utils import translation
from django.utils.translation import gettext as _

from media_jobs.models import MediaJob
from media_jobs.outbox import invoice_job
from orders.invoicing.numbers import take_number
from orders.invoicing.snapshot import (
    InvoicedLine,
    credit_note_data,
    credited,
    invoice_data,
    invoiced_rates,
)
from orders.models import Invoice, Order, OrderLine, Refund, User
from orders.models.invoice import InvoiceKind
from orders.taxes.splitting import ZERO, shared, unit_of
from orders.vouchers.discount import discount_for_next
from project.database.clock import database_now
from project.templatetags.money import money

ISSUED_ON: Mapping[str, tuple[str, ...]] = {
    "paid": (Order.Status.PAID,),
    # An order that is picked up is never shipped.
    "shipped": (Order.Status.SHIPPED, Order.Status.DELIVERED),
    "by_hand": (),
}
"""The steps that issue an order's invoice, by `INVOICE_ON`."""


class NoInvoiceError(Exception):
    """No invoice can be issued; the message says why to the operator."""


def missing_settings(lines: Iterable[OrderLine]) -> list[str]:
    """Return the names of the settings that the invoice of these lines needs and that are not set.

    `TAX_RATE` is needed only for lines that were placed when no rate was known.
    """
    lacks_rate = settings.TAX_RATE is None and any(line.tax_rate is None for line in lines)
    needed = {
        "COMPANY_NAME": settings.COMPANY_NAME,
        "COMPANY_ADDRESS": settings.COMPANY_ADDRESS,
        "COMPANY_TAX_ID": settings.COMPANY_TAX_ID,
        "TAX_RATE": not lacks_rate,
    }
    return [name for name, value in needed.items() if not value]


def issue(order: Order, *, user: User | None = None) -> Invoice:
    """Issue the invoice of a locked order, or return the one that it has.

    It is for the units that weren't refunded yet. Raises NoInvoiceError.
    """
    if issued := invoice_of(order):
        return issued
    if missing := missing_settings(order.lines.all()):
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
    order: Order, refund: Refund, units: Mapping[OrderLine, int], *, with_delivery: bool
) -> None:
    """Issue the credit note of a refund, if its order has an invoice.

    `units` are the refunded units by line; `with_delivery` if the delivery's price goes back too.
    """
    invoice = invoice_of(order)
    if invoice is not None:
        rates = invoiced_rates(invoice.data)
        lines = [_line(order, line, count, rates[line.sku]) for line, count in units.items()]
        if with_delivery:
            lines += _invoiced_delivery(invoice)
        _credit(invoice, lines, refund=refund, reason=refund.reason)


def credit_rest(order: Order, *, reason: str) -> None:
    """Issue the credit note of a cancelled order for what is left of its invoice, if it has one."""
    invoice = invoice_of(order)
    if invoice is not None:
        rates = invoiced_rates(invoice.data)
        lines = [_line(order, line, count, rates[line.sku]) for line, count in _left(order).items()]
        lines += _invoiced_delivery(invoice) if lines else []
        _credit(invoice, lines, refund=None, reason=reason)


def invoice_of(order: Order) -> Invoice | None:
    """Return the order's invoice, if it was issued."""
    return Invoice.objects.filter(order=order, kind=InvoiceKind.INVOICE).first()


def _credit(
    invoice: Invoice, lines: list[InvoicedLine], *, refund: Refund | None, reason: str
) -> None:
    notes = Invoice.objects.filter(order=invoice.order_id, kind=InvoiceKind.CREDIT_NOTE)
    earlier: dict[Decimal, Decimal] = {}
    for data in notes.values_list("data", flat=True):
        for rate, amount in credited(data).items():
            earlier[rate] = earlier.get(rate, ZERO) + amount
    note = Invoice(
        order_id=invoice.order_id, kind=InvoiceKind.CREDIT_NOTE, refund=refund, user=None
    )
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
    lines = [_line(order, line, count, _rate_of(line)) for line, count in _left(order).items()]
    return lines + _delivery(order, lines) if lines else []


def _rate_of(line: OrderLine) -> Decimal:
    """Return the rate that the line was sold at; of one from before that was kept, today's."""
    rate = settings.TAX_RATE if line.tax_rate is None else line.tax_rate
    assert rate is not None  # `missing_settings`
    return rate


def _left(order: Order) -> dict[OrderLine, int]:
    """Return the units of each line that weren't refunded yet."""
    left = order.lines.filter(quantity__gt=F("refunded"))
    return {line: line.quantity - line.refunded for line in left}


def _line(order: Order, line: OrderLine, count: int, rate: Decimal) -> InvoicedLine:
    """Return the next `count` of the line's units that aren't refunded, less their discount."""
    unit = unit_of(order.currency)
    discount = discount_for_next(line, count, unit=unit)
    name = line.name
    if discount:
        with translation.override(order.language):
            name = _("%(name)s (less %(amount)s by voucher %(code)s)") % {
                "name": line.name,
                "amount": money(discount, order.currency),
                "code": order.voucher_code,
            }
    total = line.unit_price * count - discount
    return InvoicedLine(line.sku, name, count, line.unit_price, total, rate)


def _delivery(order: Order, lines: list[InvoicedLine]) -> list[InvoicedLine]:
    """Return a line of the delivery for each rate of the goods: it is taxed as they are."""
    if not order.delivery_total:
        return []
    goods: dict[Decimal, Decimal] = {}
    for line in lines:
        goods[line.rate] = goods.get(line.rate, ZERO) + line.total
    shares = shared(order.delivery_total, goods, unit=unit_of(order.currency))
    with translation.override(order.language):
        label = order.delivery.get("label")
        name = _("Delivery: %(label)s") % {"label": label} if label else _("Delivery")
    return [
        InvoicedLine("", name, 1, price, price, rate)
        for rate, price in sorted(shares.items(), reverse=True)
        if price
    ]


def _invoiced_delivery(invoice: Invoice) -> list[InvoicedLine]:
    """Return the delivery as the invoice has it."""
    return [
        InvoicedLine(
            "",
            line["name"],
            line["quantity"],
            Decimal(line["unit_price"]),
            Decimal(line["total"]),
            Decimal(line.get("rate") or invoice.data["rate"]),
        )
        for line in invoice.data["lines"]
        if not line["sku"]
    ]
