"""The errors of a refused transition. Their messages are for the operator or the shopper."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.models import Order, OrderEvent

Status = Order.Status

_CANT: dict[str, str | Promise] = {
    Status.PAID: gettext_lazy("Order %(number)s is %(status)s: it takes no payment."),
    Status.PACKED: gettext_lazy("Order %(number)s is %(status)s: it can't be packed."),
    Status.SHIPPED: gettext_lazy("Order %(number)s is %(status)s: it can't be shipped."),
    OrderEvent.Kind.PARCEL_CORRECTED: gettext_lazy(
        "Order %(number)s is %(status)s: its parcel can't be corrected."
    ),
    OrderEvent.Kind.CORRECTED: gettext_lazy(
        "Order %(number)s is %(status)s: its contact can't be corrected any more."
    ),
    Status.DELIVERED: gettext_lazy("Order %(number)s is %(status)s: it can't be delivered."),
    Status.CANCELLED: gettext_lazy("Order %(number)s is %(status)s: it can't be cancelled."),
    Status.REFUNDED: gettext_lazy("Order %(number)s is %(status)s: it can't be refunded."),
}


class TransitionError(Exception):
    """The order is unchanged; the message says why."""


class UnknownOrder(TransitionError):
    """There is no such order."""

    def __init__(self) -> None:
        super().__init__(_("There is no such order."))


class WrongStatus(TransitionError):
    """No transition leads from the order's status to the requested one."""

    def __init__(self, order: Order, *, to: str) -> None:
        facts = {"number": order, "status": order.get_status_display().lower()}
        super().__init__(str(_CANT[to]) % facts)


class InvalidTransition(TransitionError):
    """A given amount, line or text is invalid."""


class DoneDifferently(TransitionError):
    """The step was done before, with another amount, parcel or quantity."""


class ChangedMeanwhile(TransitionError):
    """The order isn't as the user saw it when the decision was made."""

    def __init__(self, order: Order, *, event: str, user: str) -> None:
        if user:
            says = _(
                "Order %(number)s was changed by %(user)s meanwhile: %(event)s."
                " Look again, then decide."
            )
        else:
            says = _(
                "Order %(number)s isn't as your page showed it: %(event)s. Look again, then decide."
            )
        super().__init__(says % {"number": order, "event": event, "user": user})


class OrderBusy(TransitionError):
    """Another transaction has locked the order or its stock. A retry in a moment may succeed."""

    def __init__(self) -> None:
        super().__init__(_("The order is being worked on. Please try again in a moment."))
