"""What a step will do, in sentences: the desk shows them before the step is taken.

They are computed from the order as it is and from what the form holds. The step itself decides
again, under its locks.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.models import Notification
from orders.lifecycle.payouts import due_of, paid_so_far, refunded_so_far
from orders.lifecycle.refunds import price_of, too_many
from orders.lifecycle.steps import Kind, Status, channels_told
from orders.models import Order, OrderLine, Payment, Refund
from project.templatetags.money import money

EMAIL, SMS = Notification.Channel.EMAIL.value, Notification.Channel.SMS.value


def of_payment(order: Order, amount: Decimal | None) -> Iterator[str]:
    due = due_of(order)
    if amount is None or amount > due:
        yield _("%(due)s is left to pay.") % {"due": money(due, order.currency)}
    elif amount == due:
        yield _("The order is paid.")
        yield told(order, Kind.PAID)
    else:
        left = money(due - amount, order.currency)
        yield _("The order is paid in part: %(left)s is left to pay.") % {"left": left}
        yield told(order, Kind.PART_PAID)


def of_undoing(order: Order, payment: Payment) -> Iterator[str]:
    amount = money(payment.amount, order.currency)
    yield _("A counter-entry of −%(amount)s is written beside the payment.") % {"amount": amount}
    if order.status == Status.CANCELLED:
        yield _("What is owed to the customer is computed anew.")
    else:
        left = money(due_of(order) + payment.amount, order.currency)
        yield _("%(due)s is left to pay.") % {"due": left}
    if order.status == Status.PAID:
        yield _("The order is unpaid again, and can't be packed until it is paid.")
    yield told(order, Kind.PAYMENT_UNDONE)


def of_resolving(order: Order, amount: Decimal | None) -> Iterator[str]:
    """`amount` is what came and is entered now."""
    due = due_of(order)
    if amount:
        entered = money(amount, order.currency)
        yield _("A payment of %(amount)s is entered.") % {"amount": entered}
        if amount > due:
            yield money_owed(amount - due, order.currency)
        elif amount == due:
            yield _("The order is paid.")
            yield told(order, Kind.PAID)
    left = due - (amount or 0)
    if left > 0:
        left_words = money(left, order.currency)
        yield _("The customer can pay again: %(due)s is left to pay.") % {"due": left_words}


def of_packing(order: Order) -> Iterator[str]:
    yield _("The customer can't cancel it any more.")
    yield told(order, Kind.PACKED)


def of_shipping(order: Order) -> Iterator[str]:
    yield _("It can't be cancelled any more, and its address can't be corrected.")
    yield told(order, Kind.SHIPPED)


def of_parcel_correction(order: Order) -> Iterator[str]:
    yield told(order, Kind.PARCEL_CORRECTED)


def of_delivery(order: Order) -> Iterator[str]:
    if due := due_of(order):
        yield _("%(due)s is left to pay.") % {"due": money(due, order.currency)}
    yield told(order, Kind.DELIVERED)


def of_cancelling(order: Order) -> Iterator[str]:
    yield units_back(sum(line.quantity - line.refunded for line in order.lines.all()))
    owed = paid_so_far(order) - refunded_so_far(order)
    yield money_owed(owed, order.currency)
    yield told(order, Kind.CANCELLED)


def of_refund(
    order: Order, lines: list[OrderLine], units: Mapping[OrderLine, int], *, restock: bool
) -> Iterator[str]:
    count = sum(units.values())
    if not count:
        yield _("Choose at least one unit to refund.")
        return
    gone = [line for line, count in units.items() if count > line.quantity - line.refunded]
    if gone:
        yield str(too_many(gone[0]))
        return
    amount, is_all = price_of(order, lines, units)
    if restock:
        yield units_back(count)
    else:
        yield _("No unit returns to the stock.")
    yield money_owed(amount, order.currency)
    if is_all and order.delivery_total:
        delivery = money(order.delivery_total, order.currency)
        yield _("That includes %(delivery)s for the delivery.") % {"delivery": delivery}
    if is_all:
        yield _("The order is refunded as a whole.")
    yield told(order, Kind.REFUNDED if is_all else Kind.PART_REFUNDED)


def of_accepting(order: Order) -> Iterator[str]:
    yield _("The customer may send the goods. Their price is owed once they came.")
    yield told(order, Kind.RETURN_ACCEPTED)


def of_refusing(order: Order) -> Iterator[str]:
    yield _("The units stay the customer's, who may ask again.")
    yield told(order, Kind.RETURN_REFUSED)


def of_receiving(
    order: Order, units: Mapping[OrderLine, int], *, back: int, asked: int
) -> Iterator[str]:
    """`units` came of those that were `asked` for; `back` of them are sold again."""
    count = sum(units.values())
    if not count:
        yield _("Enter at least one item that came. If nothing came, refuse the return.")
        return
    amount, is_all = price_of(order, order.lines.all(), units)
    yield units_back(back) if back else _("No unit returns to the stock.")
    if count < asked:
        says = ngettext(
            "%(count)d unit that was asked for stays the customer's.",
            "%(count)d units that were asked for stay the customer's.",
            asked - count,
        )
        yield says % {"count": asked - count}
    yield money_owed(amount, order.currency)
    if is_all and order.delivery_total:
        delivery = money(order.delivery_total, order.currency)
        yield _("That includes %(delivery)s for the delivery.") % {"delivery": delivery}
    if is_all:
        yield _("The order is refunded as a whole.")
    yield told(order, Kind.RETURN_RECEIVED)


def of_payout(order: Order, refund: Refund) -> Iterator[str]:
    amount = money(refund.amount, order.currency)
    yield _("%(amount)s counts as sent to the customer. Send the money first.") % {"amount": amount}
    yield told(order, Kind.PAID_OUT)


def of_contact_correction() -> Iterator[str]:
    yield _("Messages that weren't tried yet go to the new address.")
    yield _("Messages that were sent can be sent again: you are asked next.")


def units_back(count: int) -> str:
    says = ngettext(
        "%(count)d unit returns to the stock.", "%(count)d units return to the stock.", count
    )
    return says % {"count": count}


def money_owed(amount: Decimal, currency: str) -> str:
    if amount <= 0:
        return _("No money is owed to the customer.")
    return _("%(amount)s is owed to the customer.") % {"amount": money(amount, currency)}


def told(order: Order, kind: Kind) -> str:
    channels = channels_told(order, kind)
    if EMAIL in channels and SMS in channels:
        return _("The customer gets an e-mail and an SMS.")
    if EMAIL in channels:
        return _("The customer gets an e-mail.")
    if SMS in channels:
        return _("The customer gets an SMS.")
    return _("The customer gets no message.")
