"""What the audit would find if it didn't give sales their minute."""

from orders.audits import SETTLED
from project.monitoring.audit import invariants
from tests.concurrency.rush import Books


def drift(books: Books) -> list[str]:
    """Return every violation there is now, of sales too, each as "NAME: EXAMPLE"."""
    return [
        f"{invariant.name}: {violation}"
        for invariant in invariants()
        for (violation,) in books.all(invariant.query.replace(SETTLED, "'infinity'"))
    ]
