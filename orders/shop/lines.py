"""The text format of an order line in the pages' forms: `2 SKU`, or `2@upload SKU`."""

from orders.placing.errors import InvalidOrder
from orders.placing.request import RequestedLine, clean_upload


def line_text(line: RequestedLine) -> str:
    """Return the line in the text format."""
    first = f"{line.quantity}@{line.upload}" if line.upload else str(line.quantity)
    return f"{first} {line.sku}"


def read_line(text: str) -> RequestedLine | None:
    """Parse the text; None if it is no line. The quantity may be zero."""
    first, _space, sku = text.partition(" ")
    quantity, _at, upload = first.partition("@")
    # At most three digits: `int` raises another error for very long numbers.
    if not (quantity.isdecimal() and len(quantity) <= 3 and 0 < len(sku) <= 40):
        return None
    if "\x00" in sku:
        return None
    try:
        return RequestedLine(sku, int(quantity), clean_upload(upload))
    except InvalidOrder:
        return None
