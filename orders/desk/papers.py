"""Papers at the desk: of the chosen orders as a desk job, and of one order on its page."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from media_jobs.models import MediaJob
from media_jobs.recipes import INVOICE
from orders.desk_jobs.kinds import PRINT_INVOICES, PRINT_PACKING_SLIPS, PRINT_PICK_LIST, Kind
from orders.desk_jobs.queue import queue_once
from orders.lifecycle.errors import TransitionError
from orders.lifecycle.invoices import issue_invoice
from orders.models import Order, OrderLine, User
from orders.papers.reading import KINDS, RECIPES, SLIPS, order_papers, request_slip
from orders.papers.selection import MOST_ORDERS
from project.desk.decision_log import note
from project.desk.page_keys import sent_key


class PaperActions:
    """A mixin of the orders' ModelAdmin: papers of many orders, and the papers of one."""

    admin_site: Any
    has_view_permission: Callable[..., bool]
    has_step_permission: Callable[[HttpRequest], bool]
    has_pack_permission: Callable[[HttpRequest], bool]
    record_action: Callable[..., None]

    @admin.action(description=gettext_lazy("Packing slips"), permissions=["pack"])
    def print_packing_slips(
        self, request: HttpRequest, orders: QuerySet[Order]
    ) -> HttpResponse | None:
        return _print(request, orders, PRINT_PACKING_SLIPS)

    @admin.action(description=gettext_lazy("Pick list"), permissions=["pack"])
    def print_pick_list(self, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
        return _print(request, orders, PRINT_PICK_LIST)

    @admin.action(description=gettext_lazy("Invoices"), permissions=["step"])
    def print_invoices(self, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
        return _print(request, orders, PRINT_INVOICES)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        ours = [
            path(
                "<uuid:order_id>/papers/",
                view(require_safe(self._papers_view)),
                name="orders_order_papers",
            ),
            path(
                "<uuid:order_id>/papers/<slug:kind>/",
                view(require_POST(self._make_paper)),
                name="orders_order_make_paper",
            ),
        ]
        return [*ours, *super().get_urls()]  # type: ignore[misc]

    def papers_card(
        self,
        request: HttpRequest,
        order: Order,
        *,
        jobs: Iterable[MediaJob] | None = None,
        lines: Iterable[OrderLine] | None = None,
    ) -> dict[str, Any]:
        """Return the context of `desk/papers.html` for this user.

        `jobs` are the order's media jobs and `lines` its lines, if the page has read them.
        """
        card = order_papers(order, jobs=jobs, lines=lines)
        card["may_pack"] &= self.has_pack_permission(request)
        card["may_invoice"] &= self.has_step_permission(request)
        card["papers_url"] = reverse("admin:orders_order_papers", args=[order.pk])
        card["make"] = {
            kind: reverse("admin:orders_order_make_paper", args=[order.pk, kind])
            for kind in (INVOICE.name, *SLIPS)
        }
        return card

    def _papers_view(self, request: HttpRequest, order_id: UUID) -> HttpResponse:
        """Answer the card's polling while a paper is being made."""
        order = get_object_or_404(Order, pk=order_id)
        if not self.has_view_permission(request, order):
            raise PermissionDenied
        return render(request, "desk/papers.html", self.papers_card(request, order))

    def _make_paper(self, request: HttpRequest, order_id: UUID, kind: str) -> HttpResponse:
        """Issue the order's invoice, or queue a slip. A second click changes nothing."""
        order = get_object_or_404(Order, pk=order_id)
        needs = self.has_step_permission if kind == INVOICE.name else self.has_pack_permission
        if not needs(request):
            raise PermissionDenied
        papers = MediaJob.objects.filter(order_id=order.pk, recipe__in=RECIPES)
        known = set(papers.values_list("pk", flat=True))
        if kind == INVOICE.name:
            assert isinstance(request.user, User)  # the desk requires sign-in
            try:
                issue_invoice(order_id=order.pk, user=request.user)
            except TransitionError as refusal:
                messages.warning(request, str(refusal))
        elif kind in SLIPS:
            request_slip(order, kind=kind)
        else:
            raise Http404
        if made := list(papers.exclude(pk__in=known)):
            note(gettext_lazy("Asked for"), made, user_id=request.user.pk)
            self.record_action(request, KINDS[kind], [order])
        return redirect("admin:orders_order_change", order.pk)


PAPER_ACTIONS = ("print_packing_slips", "print_pick_list", "print_invoices")


def _print(request: HttpRequest, orders: QuerySet[Order], kind: Kind) -> HttpResponse | None:
    """Queue the desk job, and show its page."""
    chosen = list(orders.order_by("number").values_list("number", flat=True)[: MOST_ORDERS + 1])
    if len(chosen) > MOST_ORDERS:
        messages.warning(
            request, _("Choose at most %(most)d orders for one file.") % {"most": MOST_ORDERS}
        )
        return None
    count = len(chosen)
    name = ngettext("%(count)d order", "%(count)d orders", count) % {"count": count}
    job, _is_new = queue_once(
        kind,
        key=sent_key(request),
        asked=",".join(map(str, chosen)),
        user_id=request.user.pk,
        context={"name": name, "orders": chosen},
    )
    return redirect("admin:orders_deskjob_change", job.pk)
