"""`/checkout/`: from the cart to an order, by one call of `place_order`.

The form has the lines and the total that the shopper confirms, and an idempotency key. So a double
click, a reload or a form from the browser's history repeats the same request, even if the
session's cart has changed.

A form that doesn't become an order is kept as a draft, and its answer is a page of its own
(`orders.shop.drafts`). So Back and reload never meet a page that would have to be sent again.
"""

import logging
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from orders.accounts.addresses import checkout_defaults
from orders.carts.cart import cart_of
from orders.models import CheckoutDraft, Order
from orders.placing.errors import KeyReused, PlacementError, ShopBusy, TotalChanged
from orders.placing.identity import order_ids
from orders.placing.placement import place_order
from orders.placing.request import OrderRequest, RequestedLine
from orders.shop.answers import WAITING, answer_of, seconds_waited
from orders.shop.changes import current_cart
from orders.shop.delivery import NOT_ASKED, delivers_at_a_price
from orders.shop.drafts import (
    address_of,
    as_sent,
    draft_of,
    drop_draft,
    keep_draft,
    name_loose,
    read_draft,
    sent_fields,
)
from orders.shop.forms import CheckoutForm
from orders.shop.lines import read_line
from orders.shop.own_hold import (
    Clock,
    clock_of,
    forget_hold,
    hold_lines,
    own_units,
    take_back_hold,
    usable_hold,
)
from orders.shop.priced_cart import PricedCart, priced
from orders.shop.views.cart import LAST_ORDER
from orders.shop.views.payment import is_paid_online, lead_to_provider
from orders.shop.voucher import shown_voucher
from orders.taxes.rates import country_of
from project.database.errors import dropped_if_lost
from project.limits.client_address import counted_address

logger = logging.getLogger(__name__)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: HttpRequest) -> HttpResponse:
    """Show the checkout form; a POST places the order and redirects to its page."""
    if request.method == "POST":
        return _send(request)
    draft = read_draft(request, request.GET.get("draft", ""))
    if draft is None:
        return _show(request, CheckoutForm(initial=_known(request)))
    kind = draft.answer.get("kind")
    if kind in WAITING:
        return _wait(request, draft)
    form = CheckoutForm(as_sent(draft.fields)) if kind else _filled_in(draft)
    for error in draft.answer.get("errors", ()):
        name = error["field"].removeprefix("address.").removesuffix(".method")
        form.add_error(name if name in form.fields else None, error["message"])
    response = _show(request, form, draft=draft)
    if kind == "limited" and response.status_code == 200:
        response.status_code = 429
        response["Retry-After"] = str(draft.answer["retry_after"])
    return response


@never_cache
@require_POST
def address(request: HttpRequest) -> HttpResponse:
    """Answer a change of the country: the address's fields. Nothing is kept or checked."""
    typed = sent_fields(request.POST, CheckoutForm.typed_fields())
    form = CheckoutForm(initial={name: values[-1] for name, values in typed.items()})
    return render(request, "shop/_address.html", {"form": form})


@never_cache
@require_POST
def delivery(request: HttpRequest) -> HttpResponse:
    """Answer a change of what delivery costs: the offers, and the totals. Nothing is kept."""
    form = CheckoutForm(request.POST)
    form.is_valid()
    cart = priced(form.cleaned_data.get("line", ()), held=own_units(request.session))
    context = {"form": form, "cart": cart, **_prices(request, form, cart), "is_part": True}
    return render(request, "shop/_delivery.html", context)


@never_cache
@require_POST
def hold(request: HttpRequest) -> HttpResponse:
    """Set the cart's units aside: the page asks for it as it is shown, and again by its button."""
    lines = [line.requested for line in current_cart(request).lines]
    key = cart_of(request).checkout_key()
    clock = hold_lines(request, lines, key=key) if lines else Clock("none")
    if not request.headers.get("HX-Request"):
        return _keep(request, {}, part="summary")
    return render(request, "shop/_hold.html", {"clock": clock, "is_asked": True})


_CHANGED = {"country": "id_country", "delivery": "delivery", "voucher": "id_voucher"}
"""The buttons that only change the page, with the id of what they change."""


# ── Sending ─────────────────────────────────────────────────────────────────────────────────


def _send(request: HttpRequest) -> HttpResponse:
    form = CheckoutForm(request.POST)
    is_only_changed = "adjust" in request.POST or "change" in request.POST
    is_valid = form.is_valid()
    take_back_hold(request.session, form.cleaned_data.get("hold"))
    if is_valid and not is_only_changed:
        return _place(request, form)
    key = "" if is_only_changed else form.cleaned_data.get("key", "")
    if key and (placed := _placed_under(key)):
        return _lead_to_its_order(request, placed)
    lines = [line for text in request.POST.getlist("line") if (line := read_line(text))]
    cart_of(request).put_back(lines)
    if line := read_line(request.POST.get("adjust", "")):
        cart_of(request).set(line.sku, line.quantity, line.upload)
    if is_only_changed:
        return _keep(request, {}, part=_CHANGED.get(request.POST.get("change", ""), "summary"))
    return _keep(request, {"kind": "invalid"})


def _place(request: HttpRequest, form: CheckoutForm) -> HttpResponse:
    wanted = form.order_request(
        language=get_language() or "en",
        user_id=request.user.pk,
        counted_address=counted_address(request),
        session_key=request.session.session_key or "",
        hold=usable_hold(request.session),
    )
    try:
        placement = place_order(wanted)
    except KeyReused as error:
        return _lead_to_its_order(request, error.order_id)
    except PlacementError as error:
        return _refuse(request, form, wanted, error)
    order = placement.order
    _clear(request, order.pk, key=wanted.key, lines=wanted.lines)
    # The waiting page's script can't follow to another site.
    is_read_by_script = "script" in request.POST
    if is_paid_online(order) and not is_read_by_script:
        return lead_to_provider(request, order.pk, order.payment_method)
    return redirect("order", order_id=order.pk)


def _refuse(
    request: HttpRequest, form: CheckoutForm, wanted: OrderRequest, error: PlacementError
) -> HttpResponse:
    try:
        before = draft_of(request.session)
        is_same = before is not None and before.fields.get("key") == [wanted.key]
        answer = answer_of(error, before=before if is_same else None)
        if isinstance(error, TotalChanged) and form.has_other_delivery:
            answer["kind"] = "chosen"
        cart_of(request).put_back(wanted.lines)
        return _keep(request, answer)
    except Error as trouble:
        # The database is why the shop is busy: the waiting page needs none.
        if not dropped_if_lost(trouble, connection):
            raise
        waiting = error if answer_of(error, before=None)["kind"] in WAITING else ShopBusy()
        draft = CheckoutDraft(
            fields=sent_fields(request.POST, CheckoutForm.base_fields),
            answer=answer_of(waiting, before=None),
        )
        return _waiting_page(request, draft)


def _keep(request: HttpRequest, answer: dict[str, Any], *, part: str = "") -> HttpResponse:
    """Keep the form with its answer, and redirect to the page that shows both.

    `part`: the id of what was changed. The browser shows it, and gives it the focus.
    """
    fields = sent_fields(request.POST, CheckoutForm.base_fields)
    draft_id = keep_draft(request.session, fields=fields, answer=answer)
    return redirect(address_of(draft_id) + (f"#{part}" if part else ""))


def bring_back(request: HttpRequest, *, has_cookie: bool) -> HttpResponse:
    """Answer a form that came without a valid token: show it again, with a new one.

    `has_cookie`: the browser still has the cookie to which the form's token belongs, or another.
    Nothing is placed, and nothing of the shopper's is changed: another site may have sent it.
    """
    fields = sent_fields(request.POST, CheckoutForm.base_fields)
    kind = "expired" if has_cookie else "no_cookie"
    draft_id = keep_draft(None, fields=fields, answer={"kind": kind})
    response = redirect(address_of(draft_id))
    name_loose(response, draft_id)
    return response


def _clear(
    request: HttpRequest, order_id: UUID, *, key: str, lines: tuple[RequestedLine, ...]
) -> None:
    """Take what was ordered out of the cart. An order stays placed if this can't be done."""
    try:
        request.session[LAST_ORDER] = str(order_id)
        cart_of(request).remove_ordered(order_id=order_id, key=key, ordered=lines)
        drop_draft(request.session)
        forget_hold(request.session)
    except Error as error:
        if not dropped_if_lost(error, connection):
            raise
        logger.warning("the cart of order %s is emptied by its next repeat: %s", order_id, error)


def _placed_under(key: str) -> UUID | None:
    """Return the id of the order that was placed under the key, if there is one."""
    ids = order_ids(source=Order.Source.SHOP, user_id=None, key=key)
    return Order.objects.filter(pk__in=ids).values_list("pk", flat=True).first()


def _lead_to_its_order(request: HttpRequest, order_id: UUID) -> HttpResponse:
    text = _("You placed this order already. What is in your cart now is not part of it.")
    messages.info(request, text)
    return redirect("order", order_id=order_id)


# ── Showing ─────────────────────────────────────────────────────────────────────────────────


def _wait(request: HttpRequest, draft: CheckoutDraft) -> HttpResponse:
    """Show the waiting page; once the order exists, lead to it."""
    form = CheckoutForm(as_sent(draft.fields))
    if form.is_valid() and (placed := _placed_under(form.cleaned_data["key"])):
        data = form.cleaned_data
        _clear(request, placed, key=data["key"], lines=data["line"])
        return redirect("order", order_id=placed)
    return _waiting_page(request, draft)


def _waiting_page(request: HttpRequest, draft: CheckoutDraft) -> HttpResponse:
    answer = draft.answer
    context = {"draft": draft, "answer": answer, "waited": seconds_waited(answer)}
    response = render(request, "shop/waiting.html", context, status=503)
    response["Retry-After"] = str(answer["retry_after"])
    return response


def _show(
    request: HttpRequest, form: CheckoutForm, *, draft: CheckoutDraft | None = None
) -> HttpResponse:
    """Show the form beside the current cart, with the answer to the last attempt.

    The form keeps its key, so another attempt is a repeat and never a second order.
    """
    sent: dict[str, Any] = {}
    if form.is_bound:
        form.is_valid()
        sent = form.cleaned_data
        take_back_hold(request.session, sent.get("hold"))
    cart = current_cart(request)
    if not cart.lines:  # perhaps its session was lost
        cart = priced(sent.get("line", ()), held=own_units(request.session))
    if not cart.lines:
        last = request.session.get(LAST_ORDER)
        return redirect("order", order_id=last) if last else redirect("cart")
    context = {
        "form": form,
        "cart": cart,
        "cart_units": cart.units,
        "key": sent.get("key") or cart_of(request).checkout_key(),
        "answer": draft.answer if draft else {},
        "clock": clock_of(request.session, [line.requested for line in cart.lines]),
        **_prices(request, form if draft else None, cart),
    }
    return render(request, "shop/checkout.html", context)


def _prices(request: HttpRequest, form: CheckoutForm | None, cart: PricedCart) -> dict[str, Any]:
    """Return what the carriers offer for the form's address, and the total with the choice.

    Without a form nobody is asked: the page is there at once, and asks then.
    """
    offer = NOT_ASKED
    if form is not None:
        lines = [line.requested for line in cart.lines]
        offer = form.offer(lines, counted_address=counted_address(request))
    address = form.address if form is not None and form.is_bound and form.has_address else {}
    typed = form["voucher"].value() if form is not None else ""
    voucher = shown_voucher(typed or "", cart.discounted_lines)
    return {
        "offer": offer,
        "voucher": voucher,
        "total": cart.total + offer.price - voucher.amount,
        "taxes": cart.taxes(
            country=country_of(address), delivery=offer.price, discounts=voucher.discounts
        ),
        "has_prices": delivers_at_a_price(),
    }


def _known(request: HttpRequest) -> dict[str, str]:
    """Return the values to begin with: what was typed before, else what the account knows."""
    draft = draft_of(request.session)
    return _typed(draft) if draft else checkout_defaults(request.user)


def _typed(draft: CheckoutDraft) -> dict[str, str]:
    names = CheckoutForm.typed_fields()
    return {name: values[-1] for name, values in draft.fields.items() if name in names}


def _filled_in(draft: CheckoutDraft) -> CheckoutForm:
    return CheckoutForm(initial=_typed(draft))
