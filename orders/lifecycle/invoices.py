"""The issue of an order's invoice by an operator. A step of `INVOICE_ON` issues it by itself."""

from uuid import UUID

from orders.invoicing.issue import NoInvoiceError, issue
from orders.lifecycle.errors import InvalidTransition
from orders.lifecycle.steps import lock, one_transaction
from orders.models import Invoice, User


def issue_invoice(*, order_id: UUID, user: User | None = None) -> Invoice:
    """Issue the order's invoice, or return the one that it has. Raises a `TransitionError`."""
    with one_transaction():
        order = lock(order_id)
        try:
            return issue(order, user=user)
        except NoInvoiceError as reason:
            raise InvalidTransition(str(reason)) from reason
