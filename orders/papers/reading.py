"""An order's papers, as its pages show and request them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from media_jobs.models import MediaJob
from media_jobs.outbox import queue_paper
from media_jobs.recipes import INVOICE, PACKING_SLIP, PAPERS, PICK_LIST
from media_jobs.signed_urls import address_of
from orders.invoicing.issue import missing_settings
from orders.models import Order, OrderLine
from orders.papers.slips import packing_slip, pick_list
from project.jobs.queryset import Status

RECIPES = tuple(recipe.name for recipe in PAPERS)
SLIPS = (PACKING_SLIP.name, PICK_LIST.name)
KINDS: dict[str, str | Promise] = {
    "invoice": _("Invoice"),
    "credit_note": _("Credit note"),
    PACKING_SLIP.name: _("Packing slip"),
    PICK_LIST.name: _("Pick list"),
}


@dataclass(frozen=True)
class Paper:
    """One paper of an order."""

    kind: str
    number: str
    """Of an invoice or credit note; else the order's."""
    made_at: datetime
    status: str
    state: str
    """The status in words."""
    url: str
    """Of the PDF; empty until it is made."""

    @property
    def label(self) -> str | Promise:
        """Return the kind in words."""
        return KINDS[self.kind]

    @property
    def colour(self) -> str:
        """Return unfold's name of the status' colour."""
        return "danger" if self.status in (Status.FAILED, Status.UNKNOWN) else "info"


def papers_of(order: Order) -> list[Paper]:
    """Return the order's papers, the oldest first, in two queries."""
    jobs = MediaJob.objects.filter(order_id=order.pk, recipe__in=RECIPES)
    return among(jobs.prefetch_related("renditions").order_by("created_at", "pk"))


def among(jobs: Iterable[MediaJob]) -> list[Paper]:
    """Return the papers among an order's media jobs, which have their renditions prefetched."""
    return [
        Paper(
            kind=job.kind,
            number=job.context["paper_number"],
            made_at=job.created_at,
            status=job.status,
            state=job.get_status_display(),
            url=_url(job),
        )
        for job in jobs
        if job.recipe in RECIPES
    ]


def invoices_of(order: Order) -> list[Paper]:
    """Return the invoice and the credit notes whose PDF is made, for the shopper."""
    return [paper for paper in papers_of(order) if paper.url and paper.kind not in SLIPS]


def request_slip(order: Order, *, kind: str) -> MediaJob:
    """Queue a packing slip or pick list of the order as it is now; the same one is made once."""
    if kind == PACKING_SLIP.name:
        return queue_paper(PACKING_SLIP, order_id=order.pk, context=packing_slip(order))
    content = pick_list([order], language=order.language)
    return queue_paper(PICK_LIST, order_id=order.pk, context=content)


def order_papers(
    order: Order,
    *,
    jobs: Iterable[MediaJob] | None = None,
    lines: Iterable[OrderLine] | None = None,
) -> dict[str, Any]:
    """Return the context of `desk/papers.html`. `jobs` and `lines` are the order's, if read."""
    papers = papers_of(order) if jobs is None else among(jobs)
    # An invoice's job is kept for ever.
    has_invoice = any(paper.kind == INVOICE.name for paper in papers)
    over = order.status in (Order.Status.CANCELLED, Order.Status.REFUNDED)
    return {
        "papers": papers,
        "papers_open": any(paper.status in (Status.QUEUED, Status.RUNNING) for paper in papers),
        "may_invoice": not has_invoice and not over,
        "may_pack": not over,
        "missing_settings": missing_settings(order.lines.all() if lines is None else lines),
    }


def _url(job: MediaJob) -> str:
    made = next(iter(job.renditions.all()), None)
    return address_of(made) if made else ""
