"""The content of an invoice or credit note, frozen when it is issued: the paper shows nothing else.

Amounts are texts. The words of the paper are written later (`media_jobs.papers.words`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.timezone import localtime

from orders.invoicing.tax import ZERO, split
from orders.models import Invoice, Order


@dataclass(frozen=True)
class InvoicedLine:
    sku: str
    """Empty for the delivery."""
    name: str
    quantity: int
    unit_price: Decimal
    total: Decimal


def invoice_data(
    order: Order, lines: Iterable[InvoicedLine], *, number: str, now: datetime, paid: Decimal
) -> dict[str, Any]:
    """Return the content of the order's invoice. `paid` is what was paid by now."""
    assert settings.TAX_RATE is not None
    amounts = _amounts(lines, rate=settings.TAX_RATE)
    due = max(Decimal(amounts["total"]) - paid, ZERO)
    with translation.override(order.language):  # of the country's name
        address = order.address_lines
    return {
        "paper_number": number,
        "kind": "invoice",
        "date": f"{localtime(now):%Y-%m-%d}",
        "issued": int(now.timestamp()),
        "order": order.display_number,
        "order_date": f"{localtime(order.placed_at):%Y-%m-%d}",
        "language": order.language,
        "currency": order.currency,
        "seller": {
            "name": settings.COMPANY_NAME,
            "address": settings.COMPANY_ADDRESS,
            "tax_id": settings.COMPANY_TAX_ID,
            "iban": settings.COMPANY_IBAN,
        },
        "buyer": [order.name, *address],
        **amounts,
        "due": str(due),
    }


def credit_note_data(
    invoice: Invoice,
    lines: Iterable[InvoicedLine],
    *,
    number: str,
    now: datetime,
    earlier: Decimal,
    reason: str,
) -> dict[str, Any]:
    """Return the content of a credit note: the invoice's parties and rate, and what is credited.

    `earlier` is the sum that was credited before.
    """
    amounts = _amounts(lines, rate=Decimal(invoice.data["rate"]), earlier=earlier)
    return {
        **{name: value for name, value in invoice.data.items() if name != "due"},
        "paper_number": number,
        "kind": "credit_note",
        "date": f"{localtime(now):%Y-%m-%d}",
        "issued": int(now.timestamp()),
        "invoice": invoice.data["paper_number"],
        "invoice_date": invoice.data["date"],
        "reason": reason,
        **amounts,
    }


def _amounts(
    lines: Iterable[InvoicedLine], *, rate: Decimal, earlier: Decimal = ZERO
) -> dict[str, Any]:
    lines = list(lines)
    parts, whole = split((line.total for line in lines), rate=rate, earlier=earlier)
    return {
        "rate": str(rate),
        "lines": [
            {
                "sku": line.sku,
                "name": line.name,
                "quantity": line.quantity,
                "unit_price": str(line.unit_price),
                "net": str(part.net),
                "tax": str(part.tax),
                "total": str(part.gross),
            }
            for line, part in zip(lines, parts, strict=True)
        ],
        "net": str(whole.net),
        "tax": str(whole.tax),
        "total": str(whole.gross),
    }
