"""Texts about an order without its person: the timeline's details, and references of payments."""

import re
from dataclasses import dataclass
from typing import Any

from orders.models import Order
from orders.personal_data.person import Person, spellings
from orders.personal_data.registry import ERASED

WRITTEN = frozenset({"reason", "tracking_number"})
"""Keys of a detail with what people wrote, and with the parcel, by which its carrier knows them."""
CONTACTS: dict[str, Any] = {"old": {}, "new": {}, "recipients": []}
"""Keys with contacts, and what they become."""


@dataclass(frozen=True)
class Wording:
    """Knows the words that mean the person of one order."""

    pattern: re.Pattern[str]

    @classmethod
    def of(cls, order: Order, person: Person) -> "Wording":
        """Return it for the order as it still is, with name, address and phone."""
        names = [order.name, *(word for word in order.name.split() if len(word) > 2)]
        lines = [order.address.get(part, "") for part in ("line1", "line2")]
        told = [*person.identifiers, order.email, order.phone, *names, *lines]
        forms = sorted(spellings(text for text in told if text), key=len, reverse=True)
        return cls(re.compile("|".join(map(re.escape, forms)), re.IGNORECASE))

    def reference(self, text: str, *, key: object) -> str:
        """Return a reference as it is, or without the person; `key` keeps it unlike the others."""
        if not self.pattern.search(text):
            return text
        return f"{self.pattern.sub(ERASED, text)[:60]} {str(key)[-8:]}"

    def without_person(self, detail: Any, *, key: str = "") -> Any:
        """Return a timeline's detail without its person: amounts, states and products stay."""
        if key in CONTACTS:
            return CONTACTS[key]
        if key in WRITTEN:
            return ERASED if detail else detail
        if isinstance(detail, dict):
            return {name: self.without_person(value, key=name) for name, value in detail.items()}
        if isinstance(detail, list):
            return [self.without_person(value) for value in detail]
        if isinstance(detail, str):
            return self.pattern.sub(ERASED, detail)
        return detail
