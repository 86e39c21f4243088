"""Papers of up to 500 orders in one PDF: the work of desk jobs."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.core.files import File
from django.utils import translation
from django.utils.translation import gettext as _

from media_jobs.recipes import INVOICE, PACKING_SLIP, PICK_LIST, Recipe
from orders.desk_jobs.progress import store_progress, store_report
from orders.invoicing.issue import invoice_of
from orders.lifecycle.errors import TransitionError
from orders.lifecycle.invoices import issue_invoice
from orders.models import DeskJob, Order
from orders.papers.slips import packing_slip, pick_list
from project.jobs.errors import PermanentError

MOST_ORDERS = 500
PAGE = 25
"""Orders that are read at a time."""

Documents = Iterator[tuple[Recipe, dict[str, Any], int]]
"""Recipe and context of each paper, with the number of orders that are done by then."""


def print_packing_slips(job: DeskJob) -> dict[str, Any]:
    """Make one PDF of the packing slips of the job's orders."""
    return _bind(job, "packing-slips", _slips)


def print_pick_list(job: DeskJob) -> dict[str, Any]:
    """Make the pick list of the job's orders."""
    return _bind(job, "pick-list", _picks)


def print_invoices(job: DeskJob) -> dict[str, Any]:
    """Issue the invoices that the job's orders lack, and make one PDF of all.

    An order that can't have one is named in the result. A second run issues none again.
    """
    return _bind(job, "invoices", _invoices)


def _bind(
    job: DeskJob, name: str, papers: Callable[[DeskJob, list[str]], Documents]
) -> dict[str, Any]:
    """Set the papers in small batches, so that memory doesn't grow with the selection."""
    from media_jobs.papers import typesetting, words  # the typesetter loads when it is needed

    refused: list[str] = []
    total = len(job.context["orders"])
    count = done = 0

    def documents() -> Iterator[dict[str, Any]]:
        nonlocal count, done
        for recipe, context, so_far in papers(job, refused):
            count, done = count + 1, so_far
            yield words.write(recipe.name, context)

    binder = typesetting.Binder()
    for batch in typesetting.batches(documents()):
        binder.add(typesetting.pdf_of(batch, is_tagged=False))
        store_progress(job, 95 * done // max(total, 1))
    if not count:
        raise PermanentError("\n".join(refused) or _("These orders have nothing to print."))
    with TemporaryDirectory(prefix="tandem-papers-") as folder:
        path = Path(folder) / f"{name}.pdf"
        binder.write(path)
        with path.open("rb") as file:
            store_report(job, File(file), name=path.name)
    return {"papers": count, "refusals": refused}


def _slips(job: DeskJob, refused: list[str]) -> Documents:
    for done, order in _orders(job):
        slip = packing_slip(order)
        if slip["lines"] and order.status != Order.Status.CANCELLED:
            yield PACKING_SLIP, slip, done
        else:
            refused.append(_("Order %(number)s has nothing to pack.") % {"number": order})


def _picks(job: DeskJob, refused: list[str]) -> Documents:
    orders = []
    for _done, order in _orders(job):
        if order.status == Order.Status.CANCELLED:
            refused.append(_("Order %(number)s has nothing to pack.") % {"number": order})
        else:
            orders.append(order)
    content = pick_list(orders, language=translation.get_language() or "en")
    if content["lines"]:
        yield PICK_LIST, content, len(orders)


def _invoices(job: DeskJob, refused: list[str]) -> Documents:
    for done, order in _orders(job):
        invoice = invoice_of(order)
        try:
            invoice = invoice or issue_invoice(order_id=order.pk, user=job.user)
        except TransitionError as refusal:
            refused.append(str(refusal))
        else:
            yield INVOICE, invoice.data, done


def _orders(job: DeskJob) -> Iterator[tuple[int, Order]]:
    """Yield the job's orders by number, each with how many there were."""
    numbers = sorted(job.context["orders"])
    for begin in range(0, len(numbers), PAGE):
        page = Order.objects.filter(number__in=numbers[begin : begin + PAGE]).order_by("number")
        for index, order in enumerate(page.prefetch_related("lines__uploads"), start=1):
            yield begin + index, order
