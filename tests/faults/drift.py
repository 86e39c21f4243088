"""The audit's findings without its minute of tolerance for sales."""

from orders.audits.sales import SETTLED
from project.monitoring.audit import THESE, Invariant, invariants
from tests.concurrency.rush import Books


def drift(books: Books) -> list[str]:
    """Return every violation there is now, of sales too, each as "NAME: EXAMPLE"."""
    return [
        f"{invariant.name}: {violation}"
        for invariant in invariants()
        for (violation,) in books.all(of_everything(invariant).replace(SETTLED, "'infinity'"))
    ]


def of_everything(invariant: Invariant) -> str:
    """Return the invariant's query for all keys of its subject."""
    keys = " UNION ".join(
        f"SELECT {column} FROM {table}" for table, column in invariant.subject.keys
    )
    return invariant.query.replace(THESE, f"= ANY(ARRAY({keys}))")
