"""A job's context, JSON that its work and its message read, as people read it at the desk."""

from collections.abc import Iterator, Mapping
from decimal import InvalidOperation
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join, linebreaks
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from project.names import in_words
from project.templatetags.money import money
from project.text import isolate

LABELS: dict[str, str | Promise] = {
    "account": _("Bank account"),
    "address": _("Address"),
    "amount": _("Amount"),
    "announcement": _("Number of the announcement"),
    "available": _("Units on hand"),
    "before": _("Turnover of the day before"),
    "bic": _("BIC"),
    "cancelled": _("Cancelled orders"),
    "carrier": _("Carrier"),
    "change": _("What was changed"),
    "client_address": _("Requested from"),
    "corrected": _("Parcel corrected"),
    "count": _("Number of products"),
    "currency": _("Currency"),
    "date": _("Date"),
    "day": _("Day"),
    "delivery_label": _("Way of delivery"),
    "delivery_total": _("Delivery"),
    "doubt": _("Doubt"),
    "digest": _("Keyed hash of the address"),
    "dry_run": _("Dry run"),
    "due": _("To be paid"),
    "expired": _("Not paid in time"),
    "buyer": _("Buyer"),
    "by_shopper": _("By the shopper"),
    "emails": _("E-mail addresses"),
    "endpoint_url": _("Web address"),
    "file": _("File"),
    "files": _("Files"),
    "given_back": _("Given back"),
    "holder": _("Recipient of the transfer"),
    "hours": _("Hours to pay"),
    "iban": _("Bank account (IBAN)"),
    "instructions": _("How to pay"),
    "invoice": _("Invoice"),
    "invoice_date": _("Date of the invoice"),
    "is_delivery": _("Delivered to an address"),
    "is_pickup": _("Picked up in the shop"),
    "issued": _("Issued (seconds since 1970)"),
    "items": _("Items"),
    "items_total": _("Total of the items"),
    "jobs_failed": _("Failed jobs"),
    "kind": _("Kind"),
    "is_late": _("Late"),
    "language": _("Language"),
    "lines": _("Lines"),
    "list": _("List"),
    "mail_mark": _("Mark in the links of e-mails"),
    "method": _("Method"),
    "minutes": _("Valid for (minutes)"),
    "more": _("Further products"),
    "name": pgettext_lazy("context", "Name"),
    "net": _("Net"),
    "new_email": _("New e-mail address"),
    "number": _("Order number"),
    "order": _("Order"),
    "order_date": _("Date of the order"),
    "orders": _("Orders"),
    "p99": _("p99 (milliseconds)"),
    "paper_number": _("Number of the paper"),
    "payment": _("Payment"),
    "per_second": _("Orders per second"),
    "percent": _("Percent above it"),
    "person": _("Person"),
    "phones": _("Phone numbers"),
    "placed_at": _("Placed at"),
    "preferences_url": _("Address of the settings"),
    "product": _("Product"),
    "products": _("Products"),
    "provider": _("Payment provider"),
    "quantity": _("Quantity"),
    "query": _("Filters"),
    "rate": _("Tax rate (%)"),
    "reason": _("Reason"),
    "recipient": _("Recipient"),
    "reference": _("Reference"),
    "refunded": _("Refunded amount"),
    "refunds": _("Refunds"),
    "rehearsed": _("Id of its dry run"),
    "return_id": _("Id of the return"),
    "restocked": _("Goods back on the shelf"),
    "seconds": _("Seconds"),
    "seller": _("Seller"),
    "sha256": _("Checksum (SHA-256)"),
    "shelf": _("Shelf"),
    "shop_name": _("Shop"),
    "send_to": _("Address for returns"),
    "sheet": _("Sheet"),
    "sku": _("SKU"),
    "step": _("Step"),
    "status_url": _("Address of the order's page"),
    "subject": _("Subject"),
    "tax": _("Tax"),
    "taxes": _("Taxes"),
    "tax_id": _("Tax number"),
    "text": _("Text"),
    "top": _("Sold most"),
    "total": _("Total"),
    "tracking_number": _("Tracking number"),
    "turnover": _("Turnover"),
    "unit_price": _("Price"),
    "units": _("Units"),
    "unsubscribe_url": _("Unsubscribe link"),
    "url": _("Link"),
    "user_ids": _("Numbers of accounts"),
    "usernames": _("User names"),
    "usual": _("Median of the last runs (milliseconds)"),
}
"""The labels of all names that our jobs have in their contexts; a test places one of each."""
MONEY = {
    *("amount", "before", "delivery_total", "due", "given_back", "items_total", "net"),
    *("refunded", "tax", "total", "turnover", "unit_price"),
}


def context_in_words(context: Mapping[str, Any]) -> SafeString:
    """Return the context as a list of labels and values; a list of rows is a list in it."""
    currency = str(context.get("currency") or settings.SHOP_CURRENCY)
    return _facts(context, currency=currency)


def _facts(values: Mapping[str, Any], *, currency: str) -> SafeString:
    if not values:
        return SafeString("–")
    facts = (
        (LABELS.get(name, name), _value(name, value, currency=currency))
        for name, value in values.items()
    )
    rows = format_html_join("", "<dt>{}</dt><dd>{}</dd>", facts)
    return format_html('<dl class="desk-facts">{}</dl>', rows)


def _value(name: str, value: Any, *, currency: str) -> str | SafeString:
    if isinstance(value, dict):
        return _facts(value, currency=currency)
    if isinstance(value, list):
        rows = ((_row(each, currency=currency),) for each in value)
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", rows))
    if isinstance(value, str) and "\n" in value:
        return SafeString(linebreaks(value, autoescape=True))
    return _word(name, value, currency=currency)


def _row(value: Any, *, currency: str) -> str:
    """Return one row of a list on one line, such as a line of the order."""
    if not isinstance(value, dict):
        return isolate(in_words(value))
    return " · ".join(_parts(value, currency=currency))


def _parts(row: Mapping[str, Any], *, currency: str) -> Iterator[str]:
    for name, value in row.items():
        yield f"{LABELS.get(name, name)}: {_word(name, value, currency=currency)}"


def _word(name: str, value: Any, *, currency: str) -> str:
    if value in ("", None):
        return "–"
    if name == "language":
        return str(dict(settings.LANGUAGES).get(value, value))
    if name in MONEY and isinstance(value, str):
        try:
            return money(value, currency)
        except InvalidOperation:  # an amount that was stored in words
            return isolate(value)
    return isolate(in_words(value))
