"""`/cart/`: show and change the cart."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from media_jobs.filetypes import UnusableFileError
from media_jobs.receiving import has_file, receives_files
from orders.models import Product
from orders.placing.personalising import Personalisation
from orders.placing.request import MAX_LINES, MAX_QUANTITY
from orders.placing.upload_store import TooManyUploadsError, discard
from orders.shop.cart import Cart, CartFullError, PricedCart, priced
from orders.shop.forms import CartForm
from orders.shop.views.upload import receive_upload
from project.text import isolate


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@receives_files
def cart(request: HttpRequest) -> HttpResponse:
    """Show the cart; a POST changes it and returns to the page it came from (`next`)."""
    if request.method == "POST":
        return _change(request) or redirect(_next(request))
    return render(
        request,
        "shop/cart.html",
        {"cart": current(request), "max_quantity": MAX_QUANTITY},
    )


def current(request: HttpRequest) -> PricedCart:
    """Return the priced cart; remove lines that can't be ordered any more, with a message."""
    cart = Cart(request.session)
    result = priced(cart.lines)
    if result.gone:
        skus = {line.sku for line in result.gone}
        for product in Product.objects.filter(sku__in=skus).order_by("name"):
            text = _("“%(name)s” is no longer on sale and was taken out of your cart.")
            if product.is_active:
                text = _("Your file for “%(name)s” has expired. Please choose it again.")
            messages.warning(request, text % {"name": isolate(product.name)})
        for line in result.gone:
            cart.set(line.sku, 0, line.upload)
    return result


def _change(request: HttpRequest) -> HttpResponse | None:
    """Change the cart; return a response for another page than `next`, else None."""
    form = CartForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose a quantity from 1 to %(most)d.") % {"most": MAX_QUANTITY})
        return None
    sku, quantity = form.cleaned_data["sku"], form.cleaned_data["quantity"]
    upload = form.cleaned_data["upload"]
    cart = Cart(request.session)
    if form.cleaned_data["action"] != "add":
        cart.set(sku, quantity, str(upload or ""))
        if upload and not quantity:
            discard(upload)  # a removed upload is deleted at once
        return None
    product = Product.objects.filter(sku=sku, is_active=True).first()
    if product is None:
        messages.error(request, _("This product is no longer on sale."))
        return None
    try:
        # Without JavaScript the browser sends the file with this form.
        if has_file(request) and product.personalisation != Personalisation.NONE:
            upload = receive_upload(request, product).token
        if product.requires_upload and not upload:
            messages.error(request, _("Choose your picture or video first."))
            return redirect(product)
        cart.add(sku, quantity, str(upload or ""))
    except UnusableFileError as refusal:
        messages.error(request, str(refusal))
        return redirect(product)
    except TooManyUploadsError:
        messages.error(
            request, _("You uploaded very many files in a short time. Please try again later.")
        )
        return redirect(product)
    except CartFullError:
        messages.error(
            request, _("A cart holds at most %(most)d different products.") % {"most": MAX_LINES}
        )
        return None
    says = _("“%(name)s” is in your cart.") % {"name": isolate(product.name)}
    messages.success(request, says, extra_tags="cart")
    return None


def _next(request: HttpRequest) -> str:
    """Return the URL to return to, if it is on this site."""
    url = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return url if ours else "cart"
