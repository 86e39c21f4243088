"""Why a voucher can't be used, in the reader's language."""

from django.conf import settings
from django.utils.translation import gettext as _

from orders.vouchers.refusal import Refusal
from project.templatetags.money import money


def refusal_in_words(refusal: Refusal) -> str:
    """Return the sentence for the shopper."""
    texts = {
        "not_started": _("The voucher %(code)s isn’t valid yet."),
        "ended": _("The voucher %(code)s isn’t valid any more."),
        "minimum": _("The voucher %(code)s needs products for at least %(amount)s."),
        "nothing": _("The voucher %(code)s is for none of these products."),
        "used_up": _("The voucher %(code)s has been used up."),
        "used_by_person": _("You have used the voucher %(code)s already."),
    }
    amount = refusal.amount
    return texts[refusal.reason] % {
        "code": refusal.code,
        "amount": "" if amount is None else money(amount, settings.SHOP_CURRENCY),
    }


def unknown_code() -> str:
    """Return the sentence about a code that no voucher has."""
    return _("There is no voucher with this code.")
