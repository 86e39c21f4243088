"""The audit's findings without its minute of tolerance for sales."""

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
