"""What the desk shows of an agent's checkout: its state, lines, sums, buyer and messages.

Of payment it shows the handler and the type alone: an instrument's id is the agent's to choose, so
nothing else of one is read.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders.agents.envelope import major
from orders.agents.last_answer import said, shown_terms
from orders.agents.placed import placed_orders
from orders.models import AgentCheckout, AgentPlatform, Order, Product
from project.email_addresses import readable_address
from project.templatetags.money import money

Stage = AgentCheckout.Stage
OVER = "over"
COLOURS = {
    Stage.OPEN.value: "info",
    OVER: "",
    Stage.COMPLETING.value: "warning",
    Stage.COMPLETED.value: "success",
    Stage.CANCELED.value: "",
}
TONES = {"error": "danger", "warning": "warning"}


@dataclass(frozen=True)
class Row:
    """A checkout as a list has it."""

    checkout: AgentCheckout
    order: Order | None
    state: str
    words: Any
    total: str

    @property
    def colour(self) -> str:
        return COLOURS[self.state]


@dataclass(frozen=True)
class Line:
    sku: str
    name: str
    quantity: int
    price: str
    total: str


@dataclass(frozen=True)
class Said:
    colour: str
    kind: Any
    text: str


def profile_short(platform: AgentPlatform) -> SafeString:
    """Return the profile's address for lists: all are https, and one may be 500 characters long."""
    address = Truncator(platform.profile_url.removeprefix("https://")).chars(60)
    return format_html('<bdi class="desk-address">{}</bdi>', address)


def rows_of(checkouts: Iterable[AgentCheckout]) -> list[Row]:
    """Return the checkouts with their orders, in one query more."""
    checkouts = list(checkouts)
    orders = placed_orders(checkouts)
    return [
        Row(one, order, *state_of(one, order), total_of(one, order))
        for one in checkouts
        for order in (orders.get(one.pk),)
    ]


def state_of(checkout: AgentCheckout, order: Order | None) -> tuple[str, Any]:
    """Return the stage and its word; one that has its order is completed, whatever its row says."""
    if order is not None:
        return Stage.COMPLETED.value, Stage.COMPLETED.label
    if checkout.stage == Stage.OPEN and checkout.expires_at <= timezone.now():
        return OVER, _("Time is over")
    return checkout.stage, checkout.get_stage_display()


def total_of(checkout: AgentCheckout, order: Order | None) -> str:
    """Return the order's total, else that of the last answer."""
    if order is not None:
        return money(order.total, order.currency)
    return _money(shown_terms(checkout).get("total"))


def lines_of(checkout: AgentCheckout) -> list[Line]:
    """Return the lines of the last answer; without one, what the agent asked for."""
    asked = shown_terms(checkout).get("lines") or [
        [sku, quantity, None] for sku, quantity in checkout.wanted.get("lines", ())
    ]
    products = Product.objects.filter(sku__in=[sku for sku, _count, _price in asked])
    names = {product.sku: product.shown_name for product in products}
    return [
        Line(
            sku=sku,
            name=names.get(sku, ""),
            quantity=count,
            price=_money(price),
            total=_money(None if price is None else price * count),
        )
        for sku, count, price in asked
    ]


def sums_of(checkout: AgentCheckout) -> list[tuple[Any, str]]:
    """Return discount, delivery and total of the last answer, as far as there are any."""
    shown = shown_terms(checkout)
    if not shown:
        return []
    sums: list[tuple[Any, str]] = []
    if shown.get("discount"):
        sums.append((_("Discount"), _money(-shown["discount"])))
    if shown.get("delivery") is not None:
        sums.append((_("Delivery"), _money(shown["delivery"])))
    return [*sums, (_("Total"), _money(shown.get("total")))]


def buyer_of(checkout: AgentCheckout) -> list[tuple[Any, str]]:
    """Return what is known of the buyer, as terms and values."""
    wanted = checkout.wanted
    buyer = wanted.get("buyer") or {}
    delivery = wanted.get("delivery") or {}
    places = delivery.get("destinations") or []
    place: dict[str, Any] = next(
        (one for one in places if one.get("id") == delivery.get("destination")), {}
    )
    facts = [
        (pgettext_lazy("person", "name"), _joined(" ", buyer, "first_name", "last_name")),
        (_("e-mail address"), readable_address(buyer.get("email", ""))),
        (_("phone"), buyer.get("phone_number", "")),
        (_("delivery to"), _place(place)),
        (_("voucher codes"), ", ".join(wanted.get("codes") or [])),
        (_("payment"), _payment(wanted.get("instruments") or [])),
    ]
    return [(term, value) for term, value in facts if value]


def messages_of(checkout: AgentCheckout) -> list[Said]:
    """Return what the last answer said, and who can mend it."""
    return [
        Said(
            colour=TONES.get(message.get("type", ""), "info"),
            kind=_kind(message),
            text=message.get("content", ""),
        )
        for message in said(checkout)
    ]


def _kind(message: dict[str, Any]) -> Any:
    if str(message.get("severity", "")).startswith("requires_"):
        return _("Needs a person")
    return {"error": _("Hinders"), "warning": _("Warning")}.get(message.get("type", ""), _("Note"))


def _place(place: dict[str, Any]) -> str:
    lines = ("street_address", "extended_address", "postal_code", "address_locality")
    name = _joined(" ", place, "first_name", "last_name")
    address = _joined(", ", place, *lines, "address_region", "address_country")
    return ", ".join(filter(None, (name, address)))


def _payment(instruments: list[dict[str, Any]]) -> str:
    chosen = [one for one in instruments if one.get("selected")] or instruments[:1]
    return ", ".join(_joined(": ", one, "handler_id", "type") for one in chosen)


def _joined(between: str, parts: dict[str, Any], *names: str) -> str:
    return between.join(str(parts[name]) for name in names if parts.get(name))


def _money(units: int | None) -> str:
    return "–" if units is None else money(major(units), settings.SHOP_CURRENCY)
