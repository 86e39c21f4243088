"""The parsed order request: the checkout and the API build it, `place_order` takes it."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import phonenumbers
from django.conf import settings
from django.utils.translation import gettext as _

from orders.models import Order
from orders.placing.by_operator import ByOperator
from orders.placing.errors import FieldError, InvalidOrder
from project.address_rules import address_rules
from project.countries import COUNTRIES, phone_region
from project.email_addresses import MAX_LENGTH, InvalidAddressError, deliverable_address
from project.text import DIRECTION_MARKS

UNFIT = DIRECTION_MARKS | {"\ufffd"}
"""Marks that change the direction of the text around them, and the replacement character, into
which a form turns a lone surrogate."""
MAX_LINES = 100
MAX_QUANTITY = 999
MAX_NAME_LENGTH = 200
KEY_PATTERN = r"^[\x21-\x7e]{16,128}$"
"""An idempotency key: 16 to 128 visible ASCII characters."""


@dataclass(frozen=True)
class RequestedLine:
    sku: str
    quantity: int
    upload: str = ""
    """The token of the shopper's picture or video for these units, or empty."""


@dataclass(frozen=True)
class ChosenDelivery:
    """The quote that the shopper chose, by its names: `place_order` looks for its price."""

    carrier: str
    service: str


@dataclass(frozen=True)
class OrderRequest:
    """One requested order. `lines` are as the shopper sent them; pricing uses `merged_lines`."""

    source: Order.Source
    key: str
    name: str
    email: str
    lines: tuple[RequestedLine, ...]
    phone: str = ""
    """E.164, or empty."""
    language: str = "en"
    address: dict[str, str] = field(default_factory=dict)
    user_id: int | None = None
    delivery: ChosenDelivery | None = None
    """None: the order's delivery has no price."""
    payment_method: str = ""
    """See `Order.payment_method`. Like there, it is no part of the fingerprint."""
    expected_total: Decimal | None = None
    voucher: str = ""
    """The voucher's code as it is stored, or empty."""
    hold: UUID | None = None
    """The hold whose units count for the order. It is no part of the fingerprint: a repeat without
    it is the same order."""
    counted_address: str = ""
    """The client's address as `project.limits.client_address` counts it, or empty."""
    session_key: str = ""
    """The key of the shopper's session, or empty."""
    operator: ByOperator | None = None
    """The operator who makes the order for a customer, with the prices by hand."""
    is_synthetic: bool = False
    """It is of a performance run: it is placed in the run's tables, not in the shop's."""

    @property
    def merged_lines(self) -> dict[str, int]:
        """Units by SKU, in the order of the first line. Two lines of a SKU are added up."""
        return merged(self.lines)

    @property
    def uploads(self) -> dict[str, tuple[str, int]]:
        """SKU and units by upload token. Two lines with the same upload are added up."""
        wanted: dict[str, tuple[str, int]] = {}
        for line in self.lines:
            if line.upload:
                sku, quantity = wanted.get(line.upload, (line.sku, 0))
                wanted[line.upload] = (sku, quantity + line.quantity)
        return wanted

    def fingerprint(self) -> str:
        """Return a SHA-256 of the order's content, without its key and its expected total.

        Two requests with the same key and different fingerprints are different orders.
        """
        parsed: list[Any] = [
            self.name,
            self.email,
            self.phone,
            self.language,
            sorted(self.address.items()),
            sorted(self.merged_lines.items()),
        ]
        if self.uploads:
            parsed.append(sorted(self.uploads.items()))
        if self.operator and self.operator.prices:
            parsed.append(self.operator.parsed())
        if self.voucher:
            parsed.append({"voucher": self.voucher})
        if self.delivery:  # an object: the uploads are a list
            parsed.append({"delivery": [self.delivery.carrier, self.delivery.service]})
        return hashlib.sha256(json.dumps(parsed).encode()).hexdigest()


def merged(lines: Iterable[RequestedLine]) -> dict[str, int]:
    """Return the units by SKU, in the order of the first line. Two lines of a SKU are added up."""
    units: dict[str, int] = {}
    for line in lines:
        units[line.sku] = units.get(line.sku, 0) + line.quantity
    return units


def line_errors(
    lines: Sequence[RequestedLine],
    *,
    unknown: Container[str] = (),
    parents: Container[str] = (),
) -> list[FieldError]:
    """Return what is wrong with the lines; `unknown` are SKUs without a product on sale.

    `parents` are those of products that are sold as variants only.
    """
    quantities = merged(lines)
    return (
        [
            FieldError(f"lines.{position}.sku", _("There is no such product."))
            for position, line in enumerate(lines)
            if line.sku in unknown
        ]
        + [
            FieldError(
                f"lines.{position}.sku",
                _("This product has variants. Choose one of them and order it by its own SKU."),
            )
            for position, line in enumerate(lines)
            if line.sku in parents
        ]
        + [
            FieldError(
                f"lines.{position}.quantity",
                _("Order at most %(most)d of one product.") % {"most": MAX_QUANTITY},
            )
            for position, line in enumerate(lines)
            if quantities[line.sku] > MAX_QUANTITY
        ]
    )


def clean_text(value: str, *, field: str, max_length: int, required: bool = True) -> str:
    """Return the text on one line, without surrounding space. Raises InvalidOrder naming `field`.

    Control characters are invalid (PostgreSQL can't store NUL), and so are lone surrogates.
    """
    value = " ".join(value.split())
    if len(value) > max_length:
        message = _("Use at most %(count)d characters.") % {"count": max_length}
        raise InvalidOrder([FieldError(field, message)])
    if any(
        unicodedata.category(character) in ("Cc", "Cs") or character in UNFIT for character in value
    ):
        message = _("Remove the characters that can't be printed.")
        raise InvalidOrder([FieldError(field, message)])
    visible = any(unicodedata.category(character)[0] not in "CZ" for character in value)
    if required and not visible:
        raise InvalidOrder([FieldError(field, _("This field is required."))])
    return value


def clean_email(value: str) -> str:
    """Return the address in the form of `project.email_addresses`. Raises InvalidOrder."""
    value = clean_text(value, field="email", max_length=MAX_LENGTH)
    try:
        return deliverable_address(value)
    except InvalidAddressError:
        message = _("Enter a valid e-mail address, like name@example.org.")
        raise InvalidOrder([FieldError("email", message)]) from None


def clean_phone(value: str) -> str:
    """Return the number in E.164. A national number is one of `SHOP_COUNTRY`.

    Raises InvalidOrder.
    """
    value = clean_text(value, field="phone", max_length=40, required=False)
    if not value:
        return ""
    try:
        number = phonenumbers.parse(value, phone_region(settings.SHOP_COUNTRY))
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        message = _("Enter a valid phone number, with its country code (+49 …) or national.")
        raise InvalidOrder([FieldError("phone", message)])
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def clean_country(value: str) -> str:
    """Return the country's code unchanged. Raises InvalidOrder if `project.countries` lacks it."""
    value = clean_text(value, field="address.country", max_length=2)
    if value not in COUNTRIES:
        message = _("Enter a country by its code of two capital letters, like DE.")
        raise InvalidOrder([FieldError("address.country", message)])
    return value


def check_postcode(postcode: str, *, country: str) -> None:
    """Raise InvalidOrder if the address lacks the postcode that its country needs, or has none.

    Forms are stricter (`orders.accounts.address_form`): a person who typed a wrong postcode can
    look again. A program's order is refused only for what can't be a postcode at all.
    """
    if country not in COUNTRIES:
        return
    rules = address_rules(country)
    if "postcode" in rules.required and not postcode:
        raise InvalidOrder([FieldError("address.postcode", _("This field is required."))])
    if rules.is_certainly_no_postcode(postcode):
        message = _("A postcode there has digits.")
        raise InvalidOrder([FieldError("address.postcode", message)])


def clean_upload(value: str) -> str:
    """Return an upload's token in canonical form; empty stays empty. Raises InvalidOrder."""
    try:
        return str(UUID(value)) if value else ""
    except ValueError:
        raise InvalidOrder([FieldError("upload", _("There is no such upload."))]) from None


def clean_key(value: str) -> str:
    """Return the idempotency key unchanged. Raises InvalidOrder if it doesn't fit the pattern."""
    if not re.fullmatch(KEY_PATTERN, value):
        message = _("Send a key of 16 to 128 visible ASCII characters.")
        raise InvalidOrder([FieldError("Idempotency-Key", message)])
    return value
