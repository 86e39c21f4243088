"""A company whose invoices are complete."""

from decimal import Decimal
from typing import Any


def set_company(settings: Any, **changes: Any) -> None:
    settings.COMPANY_NAME = "Tandem Tea GmbH"
    settings.COMPANY_ADDRESS = ["Teestr. 1", "20095 Hamburg"]
    settings.COMPANY_TAX_ID = "DE123456789"
    settings.COMPANY_IBAN = "DE89 3704 0044 0532 0130 00"
    settings.TAX_RATE = Decimal(19)
    settings.INVOICE_ON = "by_hand"
    for name, value in changes.items():
        setattr(settings, name, value)
