"""Vouchers in the protocol's words: which code counts, what it takes off, why others don't.

An order has one voucher (docs/vouchers.md): the first code that can be used. A voucher of a
category takes something off lines, so it has allocations; one for all products is the order's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from orders.agents.envelope import Message, minor, warning
from orders.models import Voucher
from orders.vouchers.discount import DiscountedLine, discounts_of, plain_code
from orders.vouchers.refusal import Refusal
from orders.vouchers.wording import refusal_in_words, unknown_code

CODES = {
    "ended": "discount_code_expired",
    "used_up": "discount_code_expired",
    "used_by_person": "discount_code_user_ineligible",
}
"""The protocol's codes by the reason of a refusal."""


@dataclass(frozen=True)
class Discounts:
    codes: Sequence[str] = ()
    voucher: Voucher | None = None
    per_line: Sequence[Decimal] = ()
    """What the voucher takes off each line."""
    messages: list[Message] = field(default_factory=list)

    @property
    def is_of_items(self) -> bool:
        return self.voucher is not None and self.voucher.category_id is not None

    @property
    def amount(self) -> Decimal:
        return sum(self.per_line, Decimal(0))

    @property
    def shown(self) -> dict[str, Any]:
        """The member `discounts` of an answer."""
        return {"codes": list(self.codes), "applied": self._applied()}

    def _applied(self) -> list[dict[str, Any]]:
        if self.voucher is None or not self.amount:
            return []
        applied: dict[str, Any] = {
            "code": self._as_sent(),
            "title": _("Voucher %(code)s") % {"code": self.voucher.code},
            "amount": minor(self.amount),
        }
        if self.is_of_items:
            applied["method"] = "across"
            applied["allocations"] = [
                {"path": f"$.line_items[{place}]", "amount": minor(off)}
                for place, off in enumerate(self.per_line)
                if off
            ]
        return [applied]

    def _as_sent(self) -> str:
        assert self.voucher is not None
        code = self.voucher.code
        return next((each for each in self.codes if plain_code(each) == code), code)


def discounts_for(codes: Sequence[str], lines: Sequence[DiscountedLine]) -> Discounts:
    """Return the first of these codes that can be used, and a message about each other one."""
    if not codes:
        return Discounts(per_line=[Decimal(0)] * len(lines))
    known = {
        voucher.code: voucher
        for voucher in Voucher.objects.filter(code__in=[plain_code(code) for code in codes])
    }
    chosen, per_line = None, [Decimal(0)] * len(lines)
    messages: list[Message] = []
    for place, code in enumerate(codes):
        path = f"$.discounts.codes[{place}]"
        voucher = known.get(plain_code(code))
        if voucher is None:
            text = f"{code}: {unknown_code()}" if code else _("This code is empty.")
            messages.append(warning("discount_code_invalid", text, path=path))
            continue
        try:
            off = discounts_of(voucher, lines, currency=settings.SHOP_CURRENCY)
        except Refusal as refusal:
            code_of = CODES.get(refusal.reason, "discount_code_invalid")
            messages.append(warning(code_of, refusal_in_words(refusal), path=path))
            continue
        if chosen is None:
            chosen, per_line = voucher, off
            continue
        text = _("An order has one voucher: %(code)s isn’t used.") % {"code": code}
        messages.append(warning("discount_code_combination_disallowed", text, path=path))
    return Discounts(codes, chosen, per_line, messages)
