"""The numbers of invoices and credit notes: a range for each kind, without gaps."""

from django.db import connection

from orders.models.invoice import InvoiceKind


def take_number(kind: InvoiceKind) -> int:
    """Return the next number of this kind, within the caller's transaction.

    The counter's row is locked until the commit. The next invoice waits for it, and a rollback
    gives the number back: unlike a sequence's, whose numbers are lost. In the lock order the
    counter stands after the order and before sales and jobs.
    """
    assert connection.in_atomic_block
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orders_invoicecounter AS counter (kind, last) VALUES (%s, 1)"
            " ON CONFLICT (kind) DO UPDATE SET last = counter.last + 1 RETURNING last",
            [kind.value],
        )
        number: int = cursor.fetchone()[0]
    return number
