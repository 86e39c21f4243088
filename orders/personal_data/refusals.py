"""Why a person can't be erased yet: something between them and the shop isn't finished.

Data that a contract still needs, or a claim for money, aren't due for erasure (GDPR, Art. 17 (1)
(a) and (3) (e)). Then the erasure is refused with its reasons, and nothing is queued: the person,
or the desk, asks again when it is finished. docs/personal-data.md says more.
"""

from collections.abc import Iterator

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.lifecycle.payouts import due_of
from orders.models import Order, PaymentAttempt, Refund, Return, User
from orders.personal_data.person import Person, orders_carrying, orders_of

Status = Order.Status
OPEN = {
    Status.PLACED: gettext_lazy("Order %(number)s is still to be paid or delivered."),
    Status.PAID: gettext_lazy("Order %(number)s is still to be delivered."),
    Status.PACKED: gettext_lazy("Order %(number)s is still to be delivered."),
    Status.SHIPPED: gettext_lazy("Order %(number)s is still to be delivered."),
}
"""The statuses of orders that go on, and why."""
CLOSED = tuple(status for status in Status if status not in OPEN)
MOST = 20
"""Reasons that are told; the next try tells the others."""


def refusals(person: Person) -> list[str]:
    """Return the reasons in the reader's language; empty: the person can be erased."""
    found = []
    for reason in _reasons(person):
        found.append(reason)
        if len(found) == MOST:
            break
    return found


def _reasons(person: Person) -> Iterator[str]:
    accounts = User.objects.filter(pk__in=person.user_ids)
    for user in accounts.filter(Q(is_staff=True) | Q(is_superuser=True)):
        yield _("%(user)s works at the desk: take the roles away first.") % {"user": user}
    for orders in (orders_of(person), orders_carrying(person)):
        for order in orders.filter(status__in=OPEN):
            yield OPEN[Status(order.status)] % {"number": order}
    closed = orders_of(person).filter(status__in=CLOSED)
    for order in closed.filter(refunds__status=Refund.Status.OWED).distinct():
        yield _("A refund of order %(number)s is owed to them.") % {"number": order}
    for order in closed.filter(returns__status__in=Return.OPEN).distinct():
        yield _("A return of order %(number)s isn't finished.") % {"number": order}
    doubtful = (PaymentAttempt.Status.STARTED, PaymentAttempt.Status.TO_CHECK)
    for order in closed.filter(payment_attempts__status__in=doubtful).distinct():
        yield _("A payment of order %(number)s isn't clear yet.") % {"number": order}
    for order in closed.filter(status=Status.DELIVERED).iterator():
        if due_of(order):
            yield _("Order %(number)s isn't paid.") % {"number": order}
