"""The ways in which an order can be paid now: order's page, checkout and API list the same."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.lifecycle.payouts import due_of
from orders.lifecycle.steps import lock, one_transaction
from orders.models import Order
from orders.payments.attempts import NothingDue
from orders.payments.providers import used_providers
from orders.placing.payment_choice import AT_PICKUP, TRANSFER, offered_methods


class UnknownMethod(LookupError):
    """The order can't be paid by a method of this name."""


@dataclass(frozen=True)
class Method:
    """One way to pay."""

    name: str
    """What the API calls it: a provider's name, `transfer` or `pickup`."""
    label: str | Promise
    """What the customer reads on the button."""

    @property
    def is_online(self) -> bool:
        """Tell whether its button leads to a provider's page."""
        return self.name not in (TRANSFER, AT_PICKUP)


def shop_methods(*, is_picked_up: bool) -> list[Method]:
    """Return the shop's ways to pay an order that is delivered, or picked up."""
    labels: dict[str, str | Promise] = {each.name: each.label for each in used_providers()}
    labels |= {TRANSFER: _("by transfer"), AT_PICKUP: _("at pick-up")}
    return [Method(name, labels[name]) for name in offered_methods(is_picked_up=is_picked_up)]


def open_methods(order: Order, *, due: Decimal) -> list[Method]:
    """Return the ways in which the `due` amount of the order can be paid, without a query.

    None if nothing is due.
    """
    return shop_methods(is_picked_up=not order.address) if due else []


def choose_method(*, order_id: UUID, method: str) -> None:
    """Note how the customer wants to pay what is due. A repeat changes nothing.

    Raises UnknownOrder, OrderBusy, NothingDue, and UnknownMethod.

    An order that isn't to be paid at pick-up any more has its time to pay from now on: expiry has
    passed it over before, and meets it again as a changed one.
    """
    with one_transaction():
        order = lock(order_id)
        due = due_of(order)
        if not due:
            raise NothingDue
        if method not in (each.name for each in open_methods(order, due=due)):
            raise UnknownMethod(method)
        if method == order.payment_method:
            return
        is_timed_anew = order.payment_method == AT_PICKUP
        Order.objects.filter(pk=order_id).update(
            payment_method=method, changed_at=Now() if is_timed_anew else F("changed_at")
        )
