"""What a shopper is told when the guest's cart and the account's become one."""

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.carts.cart import Merged
from orders.placing.request import MAX_LINES


def tell_merged(request: HttpRequest, merged: Merged) -> None:
    """Say that there is more in the cart than before, and what had no room."""
    if merged.came and merged.had:
        text = _("What you chose before and what was in your account's cart are in one cart now.")
        messages.info(request, text, extra_tags="cart")
    if merged.waiting:
        text = ngettext(
            "A cart holds at most %(most)d different products. %(count)d product waits until there"
            " is room.",
            "A cart holds at most %(most)d different products. %(count)d products wait until there"
            " is room.",
            merged.waiting,
        )
        messages.warning(request, text % {"most": MAX_LINES, "count": merged.waiting})
