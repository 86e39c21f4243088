"""A sold-out product's waiting list: the form on its page, and the links in the messages.

Both links ask on GET and act on POST, so a mail scanner that opens them changes nothing.
"""

from uuid import UUID

from allauth.core.ratelimit import consume, respond_429
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from orders.catalogue.browsing import products_on_sale
from orders.messages import waiting_list
from orders.models import WaitingListEntry
from orders.shop.views.product_page import product_page
from orders.shop.waiting import WaitingForm, own_address
from project.email_addresses import readable_address
from project.text import isolate


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, slug: str) -> HttpResponse:
    """Put an address on the product's waiting list. The answer doesn't tell if it was on it."""
    product = products_on_sale().filter(slug=slug).first()
    if product is None or product.is_parent:
        raise Http404
    if request.method != "POST":
        return redirect(product)  # a reload of the answer, or a switch of the language
    if product.available:
        messages.info(request, _("It is in stock again: you can order it now."))
        return redirect(product)
    form = WaitingForm(request.POST)
    if not form.is_valid():
        return product_page(request, product, waiting_form=form, status=422)
    email = form.cleaned_data["email"]
    if not consume(request, action="waiting_list", key=email.lower()):
        return respond_429(request)
    own = own_address(request)
    is_known = own.lower() == email.lower()
    waiting_list.join(
        product=product, email=email, language=get_language() or "en", is_known=is_known
    )
    text = (
        _("We write to %(email)s as soon as “%(name)s” is back.")
        if is_known
        else _(
            "Thank you. If %(email)s isn't on the list for “%(name)s” yet, a message is on its way"
            " there. Follow its link, and we tell you when it is back."
        )
    )
    shown = {"email": isolate(readable_address(email)), "name": isolate(product.shown_name)}
    messages.success(request, text % shown)
    return redirect(product)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """Ask whether the address shall be told; a POST lets it count."""
    if request.method == "POST":
        waiting_list.confirm(entry_id)
    entry = _entry(entry_id)
    is_done = entry is not None and entry.confirmed_at is not None
    page = {"entry": entry, "is_done": is_done}
    return render(request, "shop/waiting_confirm.html", page, status=200 if entry else 404)


@csrf_exempt  # the link is the proof: a mail program has neither cookie nor form
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """Ask whether to stop; a POST, also that of a mail program (RFC 8058), stops.

    Repeated it is answered the same: a mail program must not take it for a failure.
    """
    entry = _entry(entry_id)
    is_done = request.method == "POST"
    if is_done:
        waiting_list.leave(entry_id)
    page = {"entry": entry, "is_done": is_done}
    status = 200 if entry or is_done else 404
    return render(request, "shop/waiting_stop.html", page, status=status)


def _entry(entry_id: UUID) -> WaitingListEntry | None:
    entries = WaitingListEntry.objects.select_related("product__stock")
    return entries.filter(pk=entry_id).first()
