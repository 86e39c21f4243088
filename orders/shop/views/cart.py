"""`/cart/`: show and change the cart.

With JavaScript a product is added without a reload (`static/shop/cart.js`): the same POST, answered
with the header's link and the message for screen readers.
"""

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from media_jobs.filetypes import UnusableFileError
from media_jobs.receiving import has_file, receives_files
from orders.carts.cart import CartFullError, cart_of
from orders.catalogue.browsing import products_on_sale
from orders.models import Product
from orders.placing.personalising import Personalisation
from orders.placing.request import MAX_LINES, MAX_QUANTITY
from orders.placing.upload_store import TooManyUploadsError, discard
from orders.shop.changes import current_cart
from orders.shop.forms import CartForm
from orders.shop.own_hold import own_units
from orders.shop.views.upload import receive_upload
from project.text import isolate
from project.way_back import way_back


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@receives_files
def cart(request: HttpRequest) -> HttpResponse:
    """Show the cart; a POST changes it and returns to the page it came from (`next`)."""
    if request.method == "POST":
        done = _change(request)
        if request.headers.get("X-Requested-With") == "cart.js":
            return render(request, "shop/_cart_answer.html", {"done": done})
        if done.text:
            messages.add_message(request, done.level, done.text, extra_tags=done.tags)
        return redirect(done.product) if done.product else redirect(way_back(request) or "cart")
    shown = current_cart(request)
    context = {
        "cart": shown,
        "cart_units": shown.units,
        "max_quantity": MAX_QUANTITY,
        "holds_units": bool(settings.HOLD_MINUTES),
        "last_order": request.session.get(LAST_ORDER),
    }
    return render(request, "shop/cart.html", context)


LAST_ORDER = "last_order"
"""The session's entry with the id of the order that it placed last."""


@dataclass(frozen=True)
class Done:
    """What became of a change of the cart, for its shopper."""

    text: str = ""
    level: int = messages.SUCCESS
    product: Product | None = None
    """The product on whose page the shopper can do something about it."""

    @property
    def is_refused(self) -> bool:
        return self.level == messages.ERROR

    @property
    def tags(self) -> str:
        return "" if self.is_refused else "cart"


def _refused(text: str, product: Product | None = None) -> Done:
    return Done(text, messages.ERROR, product)


def _change(request: HttpRequest) -> Done:
    form = CartForm(request.POST)
    if not form.is_valid():
        return _refused(_("Choose a quantity from 1 to %(most)d.") % {"most": MAX_QUANTITY})
    if form.cleaned_data["action"] == "add":
        return _add(request, form)
    upload, quantity = form.cleaned_data["upload"], form.cleaned_data["quantity"]
    cart_of(request).set(form.cleaned_data["sku"], quantity, str(upload or ""))
    if upload and not quantity:
        discard(upload)  # a removed upload is deleted at once
    return Done()


def _add(request: HttpRequest, form: CartForm) -> Done:
    product = products_on_sale().prefetch_related(None).filter(sku=form.cleaned_data["sku"]).first()
    if product is None:
        return _refused(_("This product is no longer on sale."))
    upload = form.cleaned_data["upload"]
    try:
        # Without JavaScript the browser sends the file with this form.
        if has_file(request) and product.personalisation != Personalisation.NONE:
            upload = receive_upload(request, product).token
        if product.requires_upload and not upload:
            return _refused(_("Choose your picture or video first."), product)
        units = cart_of(request).add(product, form.cleaned_data["quantity"], str(upload or ""))
    except UnusableFileError as refusal:
        return _refused(str(refusal), product)
    except TooManyUploadsError:
        text = _("You uploaded very many files in a short time. Please try again later.")
        return _refused(text, product)
    except CartFullError:
        text = _("A cart holds at most %(most)d different products.")
        return _refused(text % {"most": MAX_LINES})
    name = isolate(product.name)
    available = product.available + own_units(request.session).get(product.pk, 0)
    if units > available:
        text = ngettext(
            "“%(name)s” is in your cart, but only %(left)d is left.",
            "“%(name)s” is in your cart, but only %(left)d are left.",
            available,
        )
        return Done(text % {"name": name, "left": available}, messages.WARNING)
    return Done(_("“%(name)s” is in your cart.") % {"name": name})
