"""A product's stock page: its ledger, and the forms to receive, correct and count.

What a form writes is a movement with a reason, in a transaction of its own.
"""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from unfold.decorators import action

from orders.catalogue.ledger import read_ledger, with_on_hand
from orders.catalogue.stock import (
    CorrectedMeanwhileError,
    CorrectionKeyReusedError,
    StockTooLargeError,
    StockTooLowError,
    correct_stock,
)
from orders.desk.stock import StockForm
from orders.desk.stock_modes import MODES
from orders.desk.stock_takes import may_take_stock
from orders.messages.waiting_list import waiting_for
from orders.models import Product, StockMovement, User
from project.database.keys import time_ordered_key
from project.desk.spreadsheets import write_csv

COUNT_LIST = ("sku", "name", "on hand", "last movement", "counted")


class StockPage:
    """A mixin of the products' ModelAdmin."""

    admin_site: Any
    opts: Any

    def has_stock_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return may_take_stock(request)

    def has_take_permission(self, request: HttpRequest) -> bool:
        return may_take_stock(request) and request.user.has_perm("orders.view_deskjob")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_safe(self._count_list))
        ours = path("count-list/", view, name="orders_product_count_list")
        return [ours, *super().get_urls()]  # type: ignore[misc]

    @action(
        description=_("Stock-take"),
        url_path="stock-take",
        icon="inventory",
        permissions=["take"],
    )
    def stock_take(self, request: HttpRequest) -> HttpResponseBase:
        return redirect("admin:orders_deskjob_stock_take")

    @action(description=_("Stock"), url_path="stock", icon="swap_vert", permissions=["stock"])
    def stock(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Show the ledger, ask for units and reason, and write the movement."""
        if not object_id.isdecimal():
            raise Http404
        product: Any = get_object_or_404(with_on_hand(Product.objects.all()), pk=object_id)
        mode = request.GET.get("mode", "")
        initial = {
            "last": product.last,
            "shown": product.on_hand,
            "mode": mode if mode in MODES else "receive",
            "key": time_ordered_key(),
        }
        form = StockForm(request.POST or None, initial=initial)
        if request.method == "POST" and form.is_valid():
            assert isinstance(request.user, User)  # the desk requires sign-in
            values = form.cleaned_data
            is_count = form.kind == StockMovement.Kind.COUNT
            try:
                stock = correct_stock(
                    product_id=product.pk,
                    delta=values["delta"],
                    reason=values["reason"],
                    user_id=request.user.pk,
                    key=values["key"],
                    counted_after=values["last"] if is_count else None,
                    kind=form.kind,
                )
            except (StockTooLowError, StockTooLargeError) as error:
                form.add_error(None, str(error))
            except (CorrectionKeyReusedError, CorrectedMeanwhileError) as error:
                form.add_error(None, str(error))
                # The page gets a new key.
                form.data = {**request.POST.dict(), **initial, "mode": values["mode"]}
            else:
                text = _("%(product)s: %(available)d units on hand.")
                on_hand = stock.available + product.held
                messages.success(request, text % {"product": product.name, "available": on_hand})
                return redirect("admin:orders_product_change", product.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Stock"),
            "subtitle": product.name,
            "opts": self.opts,
            "original": product,
            "form": form,
            "modes": [
                (name, known.label, name == form["mode"].value()) for name, known in MODES.items()
            ],
            "waiting": waiting_for(product.pk).count(),
            "may_see_waiting": request.user.has_perm("orders.view_waitinglistentry"),
            **_ledger(request, product),
        }
        status = 422 if form.errors else 200
        return TemplateResponse(request, "desk/stock.html", context, status=status)

    def _count_list(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with the list to count by: the stock-take takes it back with the numbers filled.

        It carries the units on hand and the newest movement of its own moment, so what is ordered
        between the counting and the upload stays ordered.
        """
        if not may_take_stock(request):
            raise PermissionDenied
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        products: QuerySet[Any] = with_on_hand(Product.objects.order_by("sku"))
        rows = products.values_list("sku", "name", "on_hand", "last").iterator()
        write_csv(response, COUNT_LIST, ((*row, "") for row in rows))  # type: ignore[arg-type]
        response["Content-Disposition"] = 'attachment; filename="count-list.csv"'
        response["Cache-Control"] = "private, no-store"
        return response


def _ledger(request: HttpRequest, product: Product) -> dict[str, Any]:
    """Return the requested page of the ledger for the template."""
    kind, before = request.GET.get("kind", ""), request.GET.get("before", "")
    kind = kind if kind in StockMovement.Kind.values else ""
    page = read_ledger(
        product_id=product.pk,
        kind=kind,
        before=int(before) if before.isdecimal() and len(before) < 19 else None,
    )
    return {
        "ledger": page.rows,
        "kinds": [(value, label, value == kind) for value, label in StockMovement.Kind.choices],
        "kind": kind,
        "older": urlencode({"kind": kind, "before": str(page.before)}) if page.before else "",
    }
