"""`/admin/orders/order/add/`: an order for a customer at the desk, by one call of `place_order`.

The page's address has an idempotency key, so a double click, a reload, Back and a second tab lead
to one order. All that was typed stays in the form: each button shows the page again, and only
“Place the order” places it. With htmx the buttons and the typing replace a part of the page.
"""

import re
import secrets
from typing import Any
from uuid import uuid5

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from orders.accounts.fields import ADDRESS_FIELDS
from orders.catalogue.search.words import clean_search
from orders.desk.new_order.customers import find_customers, read_customer
from orders.desk.new_order.delivery import read_amount
from orders.desk.new_order.forms import CustomerForm
from orders.desk.new_order.held import Held
from orders.desk.new_order.lines import (
    add_row,
    find_products,
    line_forms,
    needs_upload,
    read_rows,
)
from orders.lifecycle.errors import TransitionError
from orders.lifecycle.notes import add_note
from orders.models import Order, User
from orders.placing.errors import (
    DeliveryChanged,
    InvalidOrder,
    KeyReused,
    OutcomeUnknown,
    OutOfStock,
    PlacementError,
    ShopBusy,
    TotalChanged,
    VoucherRefused,
)
from orders.placing.identity import order_ids
from orders.placing.placement import Placement, place_order
from orders.placing.request import KEY_PATTERN, MAX_LINES, OrderRequest
from orders.shop.delivery import delivers_at_a_price
from orders.vouchers.wording import refusal_in_words

PERMISSIONS = ("orders.add_order", "orders.view_order")
LABEL = gettext_lazy("Make an order")
WITH_QUOTES = ("", "new-order", "order-quotes")
"""The parts of the page (whole: empty) for which the carriers are asked, which may take 1.5 s."""
SEARCHES = ("found-customers", "found-products")


class NewOrderPage:
    """A mixin of the orders' ModelAdmin, before `ReadOnly`: the page of a new order."""

    admin_site: Any
    opts: Any
    record_action: Any
    show_add_link = False  # the list has a button with words
    actions_list = ("make_order",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may_make_orders(request)

    @action(description=LABEL, url_path="make", icon="add_call", permissions=["add"])
    def make_order(self, request: HttpRequest) -> HttpResponseBase:
        return redirect("admin:orders_order_add")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the page; its buttons change what it holds, and the last one places the order."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        key = request.GET.get("key", "")
        is_known = bool(re.fullmatch(KEY_PATTERN, key))
        if request.method != "POST":
            if not is_known:
                return redirect(new_order_url())
            placed = _placed_under(key)
            return (
                _to_existing(request, placed)
                if placed
                else self._page(request, Held(CustomerForm(), []))
            )
        do = request.POST.get("do", "")
        if do != "place":
            return self._changed(request, do)
        held = Held.sent(request)
        if not is_known:
            return self._page(request, held, status=422, is_damaged=True)
        return self._place(request, held, key)

    def _changed(self, request: HttpRequest, do: str) -> HttpResponse:
        """Show the page with what a button changed: a customer taken over, a line more or less."""
        typed = {name: request.POST.get(name, "") for name in CustomerForm.base_fields}
        rows = read_rows(request.POST)
        act, _colon, value = do.partition(":")
        is_full = False
        if act == "take" and (found := read_customer(value)):
            typed |= dict.fromkeys(ADDRESS_FIELDS, "") | {"country": settings.SHOP_COUNTRY} | found
        elif act == "add" and value and "\x00" not in value:
            is_full = len(rows) >= MAX_LINES and value not in {row["sku"] for row in rows}
            if not is_full:
                add_row(rows, value)
        elif act == "remove":
            rows = [row for row in rows if row["sku"] != value]
        held = Held(CustomerForm(initial=typed), line_forms(rows))
        return self._page(request, held, is_full=is_full)

    def _place(self, request: HttpRequest, held: Held, key: str) -> HttpResponse:
        """Place the order and lead to it, or tell beside the fields why it wasn't placed."""
        shown = read_amount(request.POST.get("expected_total", ""))
        if not held.is_right():
            return self._page(request, held, status=422, has_no_lines=not held.lines)
        if shown is None:
            return self._page(request, held, status=422, is_damaged=True)
        wanted = held.request(key=key, user_id=request.user.pk, expected_total=shown)
        try:
            placement = place_order(wanted)
        except KeyReused as error:
            return _to_existing(request, Order.objects.get(pk=error.order_id))
        except PlacementError as error:
            return self._refused(request, held, error)
        return self._placed(request, held, placement, wanted)

    def _placed(
        self, request: HttpRequest, held: Held, placement: Placement, wanted: OrderRequest
    ) -> HttpResponse:
        """Write the note and the audit log's entry, and lead to the order.

        Both follow the order's commit. If the process dies before, the form's repeat writes them.
        """
        order, user = placement.order, _user(request)
        if note := held.customer.cleaned_data["note"]:
            try:
                add_note(order_id=order.pk, note_id=uuid5(order.pk, note), text=note, user=user)
            except TransitionError as refusal:
                messages.warning(request, f"{_('Note')}: {refusal}")
        reasons = [set_.reason for set_ in wanted.operator.prices.values()]  # type: ignore[union-attr]
        self.record_action(request, LABEL, [order], reason="; ".join(reasons)[:500])
        if placement.replayed:
            return _to_existing(request, order)
        text = _("Order %(number)s is placed. Next: take a payment.")
        messages.success(request, text % {"number": order.display_number})
        return redirect("admin:orders_order_change", order.pk)

    def _refused(self, request: HttpRequest, held: Held, error: PlacementError) -> HttpResponse:
        """Show the page with the reason. It keeps its key, so another attempt is a repeat."""
        match error:
            case InvalidOrder():
                general = [text for text in map(held.refuse, error.errors) if text]
                return self._page(request, held, status=422, refusals=general)
            case OutOfStock():
                for item in error.items:
                    held.show_shortage(item)
                return self._page(request, held, status=409, is_short=True)
            case VoucherRefused():
                held.customer.add_error("voucher", refusal_in_words(error))
                return self._page(request, held, status=409)
            case DeliveryChanged():
                return self._page(
                    request, held, status=409, is_undelivered=True, reason=error.reason
                )
            case TotalChanged():
                return self._page(request, held, status=409, new_total=error.total)
            case ShopBusy():
                response = self._page(request, held, status=503, is_busy=True)
                response["Retry-After"] = str(error.retry_after)
                return response
            case OutcomeUnknown():
                return self._page(request, held, status=503, unknown_order=error.order_id)
            case _failed:
                return self._page(request, held, status=500, has_failed=True)

    def _page(
        self, request: HttpRequest, held: Held, *, status: int = 200, **answer: Any
    ) -> HttpResponse:
        """Show what is held; `answer` describes the last attempt's error.

        A part that htmx replaces is there at once. The page then asks for the delivery's prices.
        """
        is_part = request.headers.get("HX-Request") == "true"
        part = request.headers.get("HX-Target", "") if is_part else ""
        if part in WITH_QUOTES:
            held.ask_carriers()
        key = request.GET.get("key", "")
        if not re.fullmatch(KEY_PATTERN, key):
            key = _new_key()
        sought = {
            name: clean_search(request.POST.get(name, ""))
            for name in ("find_customer", "find_product")
        }
        context = {
            "opts": self.opts,
            "title": LABEL,
            "page_url": f"?{urlencode({'key': key})}",
            "customer": held.customer,
            "lines": held.lines,
            "summary": held.summary,
            "offer": held.offer,
            "quotes": held.quotes,
            "has_prices": delivers_at_a_price(),
            "currency": settings.SHOP_CURRENCY,
            "customers": find_customers(sought["find_customer"]),
            "products": find_products(sought["find_product"]),
            "needs_upload": needs_upload,
            **sought,
            **answer,
        }
        if is_part:
            response = TemplateResponse(request, "desk/new_order_form.html", context)
            if context["has_prices"] and part not in (*WITH_QUOTES, *SEARCHES):
                response["HX-Trigger-After-Settle"] = "delivery-due"
            return response
        context |= self.admin_site.each_context(request)
        return TemplateResponse(request, "desk/new_order.html", context, status=status)


def may_make_orders(request: HttpRequest) -> bool:
    return bool(request.user.has_perms(PERMISSIONS))


def new_order_url() -> str:
    """Return the address of a page for one more order, with a key of its own."""
    return f"{reverse('admin:orders_order_add')}?{urlencode({'key': _new_key()})}"


def _new_key() -> str:
    return secrets.token_urlsafe(24)


def _placed_under(key: str) -> Order | None:
    """Return the order that was placed from the page with this key, if any."""
    ids = order_ids(source=Order.Source.DESK, user_id=None, key=key)
    return Order.objects.filter(pk__in=ids).first()


def _to_existing(request: HttpRequest, order: Order) -> HttpResponse:
    text = _(
        "Order %(number)s was placed from this page already: here it is. What you changed since is"
        " not part of it."
    )
    messages.info(request, text % {"number": order.display_number})
    return redirect("admin:orders_order_change", order.pk)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the desk requires sign-in
    return request.user
