"""`{{ amount|money:currency }}`: an amount of money, formatted for the page's language."""

from decimal import Decimal

from django import template
from django.utils import formats, translation
from django.utils.numberformat import format as format_number

from project.currencies import decimal_places

register = template.Library()

SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$", "CNY": "CN¥", "JPY": "¥", "INR": "₹", "KRW": "₩"}
# A sign that several currencies share means the nearest one (Unicode CLDR).
SYMBOLS_BY_LANGUAGE = {"zh": {"CNY": "¥", "JPY": "JP¥", "USD": "US$"}}
NO_BREAK_SPACE = "\u00a0"


@register.filter
def money(amount: Decimal | str, currency: str) -> str:
    """Return the amount (a Decimal or its text) with its currency: €1,234.50, CHF 12.00, -£3.00."""
    value = Decimal(amount)
    language = (translation.get_language() or "").partition("-")[0]
    symbol = SYMBOLS_BY_LANGUAGE.get(language, {}).get(currency) or SYMBOLS.get(currency)
    decimal_separator = formats.get_format("DECIMAL_SEPARATOR")
    number = format_number(
        abs(value),
        decimal_sep=decimal_separator,
        decimal_pos=decimal_places(currency),
        # Django groups Chinese numbers by four, without a separator, which is wrong for money.
        grouping=3,
        thousand_sep=formats.get_format("THOUSAND_SEPARATOR")
        or ("," if decimal_separator == "." else "."),
        force_grouping=True,
    )
    sign = "-" if value < 0 else ""
    return f"{sign}{symbol or currency + NO_BREAK_SPACE}{number}"
