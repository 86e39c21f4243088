"""How pages write a line of an order into their forms: `2 SKU`, or `2@upload SKU`."""

from orders.placing.errors import InvalidOrder
from orders.placing.request import RequestedLine, clean_upload


def line_text(line: RequestedLine) -> str:
    """Return the line as one text."""
    first = f"{line.quantity}@{line.upload}" if line.upload else str(line.quantity)
    return f"{first} {line.sku}"


def read_line(text: str) -> RequestedLine | None:
    """Return the line that the text says, perhaps of nought units; None if it says none."""
    first, _space, sku = text.partition(" ")
    quantity, _at, upload = first.partition("@")
    # Three digits at most: `int` refuses very long numbers by an error of its own.
    if not (quantity.isdecimal() and len(quantity) <= 3 and 0 < len(sku) <= 40):
        return None
    if "\x00" in sku:
        return None
    try:
        return RequestedLine(sku, int(quantity), clean_upload(upload))
    except InvalidOrder:
        return None
