"""The order data that demo jobs carry, as `message_context` and `payment_context` make it.

They take too long to be asked for each order: they are asked once per fill for an order of marks,
and once for each product and quantity. `Contexts.fill_in` puts an order's values in their places.
"""

from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

from django.conf import settings

from orders.demo.orders.json_text import encode, joined
from orders.demo.orders.life import Life, Line
from orders.placing.mail_mark import mail_mark
from orders.placing.message_context import message_context
from orders.placing.payment_choice import payment_context

_NOBODY = UUID(int=0)
_AMOUNTS = ("items_total", "delivery_total", "total")
_NO_ORDER = SimpleNamespace(
    pk=_NOBODY,
    address={},
    delivery={},
    discount_total=0,
    voucher_code="",
    **dict.fromkeys(("name", "language", "currency", *_AMOUNTS), ""),
)


class Contexts:
    """The texts of a fill's contexts, with the settings of its time."""

    def __init__(self) -> None:
        self._has_mark = settings.SMS_FIRST_NEEDS_EMAIL
        marks = {name: f"⟦{name}⟧" for name in ("name", "language", *_AMOUNTS)}
        order = SimpleNamespace(
            pk=_NOBODY,
            currency=settings.SHOP_CURRENCY,
            address={},
            delivery={"label": "⟦label⟧"},
            payment_method="",
            discount_total=0,
            voucher_code="",
            **marks,
        )
        later = {"number": "⟦number⟧", **message_context(cast(Any, order), [])}
        self._url = str(later["status_url"]).split(str(_NOBODY))
        if self._has_mark:
            later["mail_mark"] = "⟦mail_mark⟧"
        first = {**payment_context(cast(Any, order)), "placed_at": "⟦placed_at⟧"}
        self._later, self._first = _pattern(later), _pattern(first)

    def fill_in(self, life: Life) -> None:
        """Give the order's jobs their contexts; the order has its number."""
        order = life.order
        life.status_url = order.pk.join(self._url)
        values = {
            "number": order.display_number,
            "pk": order.pk,
            "name": encode(order.name)[1:-1],
            "language": order.language,
            "items_total": order.items_total,
            "delivery_total": order.delivery_total,
            "total": order.total,
            "is_delivery": encode(bool(order.address)),
            "label": encode(order.delivery.get("label", ""))[1:-1],
            "lines": ", ".join([_line(line) for line in life.lines]),
            "placed_at": order.placed_at.isoformat(),
        }
        if self._has_mark:
            values["mail_mark"] = life.mail_mark = mail_mark(UUID(order.pk))
        life.context = self._later % values
        life.first_context = joined(life.context, self._first % values)


def _pattern(context: dict[str, Any]) -> str:
    """Return the context as JSON with `%(name)s` for each mark."""
    text = encode(context).replace("%", "%%")
    text = text.replace(str(_NOBODY), "%(pk)s").replace('"lines": []', '"lines": [%(lines)s]')
    text = text.replace('"is_delivery": false', '"is_delivery": %(is_delivery)s')
    return text.replace("⟦", "%(").replace("⟧", ")s")


def _line(line: Line) -> str:
    """Return the line's entry of a context as JSON."""
    known = line.goods.entries
    if line.quantity not in known:
        (entry,) = message_context(cast(Any, _NO_ORDER), [cast(Any, line)])["lines"]
        known[line.quantity] = encode(entry)
    return known[line.quantity]
