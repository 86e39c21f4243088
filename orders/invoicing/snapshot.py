"""The content of an invoice or credit note, frozen when it is issued: the paper shows nothing else.

Amounts are texts. The words of the paper are written later (`media_jobs.papers.words`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.timezone import localtime

from orders.models import Invoice, Order
from orders.taxes.splitting import ZERO, by_rate, split, unit_of


@dataclass(frozen=True)
class InvoicedLine:
    sku: str
    """Empty for the delivery."""
    name: str
    quantity: int
    unit_price: Decimal
    total: Decimal
    rate: Decimal
    """Of its tax, in per cent."""


def invoice_data(
    order: Order, lines: Iterable[InvoicedLine], *, number: str, now: datetime, paid: Decimal
) -> dict[str, Any]:
    """Return the content of the order's invoice. `paid` is what was paid by now."""
    amounts = _amounts(lines, currency=order.currency)
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
    earlier: Mapping[Decimal, Decimal],
    reason: str,
) -> dict[str, Any]:
    """Return the content of a credit note: the invoice's parties, and what is credited.

    `earlier` is what was credited before, by rate.
    """
    amounts = _amounts(lines, currency=invoice.data["currency"], earlier=earlier)
    return {
        **{name: value for name, value in invoice.data.items() if name not in ("due", "rate")},
        "paper_number": number,
        "kind": "credit_note",
        "date": f"{localtime(now):%Y-%m-%d}",
        "issued": int(now.timestamp()),
        "invoice": invoice.data["paper_number"],
        "invoice_date": invoice.data["date"],
        "reason": reason,
        **amounts,
    }


def credited(data: dict[str, Any]) -> dict[Decimal, Decimal]:
    """Return the gross amounts of an issued paper by their rate.

    Papers of before there were several rates have one for all.
    """
    if "taxes" not in data:
        return {Decimal(data["rate"]): Decimal(data["total"])}
    return {Decimal(part["rate"]): Decimal(part["total"]) for part in data["taxes"]}


def invoiced_rates(data: dict[str, Any]) -> dict[str, Decimal]:
    """Return the rates of an issued invoice's lines by their SKU."""
    return {line["sku"]: Decimal(line.get("rate") or data["rate"]) for line in data["lines"]}


def _amounts(
    lines: Iterable[InvoicedLine],
    *,
    currency: str,
    earlier: Mapping[Decimal, Decimal] | None = None,
) -> dict[str, Any]:
    lines = list(lines)
    parts = split(
        ((line.rate, line.total) for line in lines), unit=unit_of(currency), earlier=earlier
    )
    taxes = by_rate(parts)
    return {
        "taxes": [
            {
                "rate": part.percent,
                "net": str(part.net),
                "tax": str(part.tax),
                "total": str(part.gross),
            }
            for part in taxes
        ],
        # For the workers of the release before, which know one rate.
        **({"rate": taxes[0].percent} if len(taxes) == 1 else {}),
        "lines": [
            {
                "sku": line.sku,
                "name": line.name,
                "quantity": line.quantity,
                "unit_price": str(line.unit_price),
                "rate": part.percent,
                "net": str(part.net),
                "tax": str(part.tax),
                "total": str(part.gross),
            }
            for line, part in zip(lines, parts, strict=True)
        ],
        "net": str(sum((part.net for part in taxes), ZERO)),
        "tax": str(sum((part.tax for part in taxes), ZERO)),
        "total": str(sum((part.gross for part in taxes), ZERO)),
    }
