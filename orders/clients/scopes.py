"""What a key may do: scopes by resource and verb, and the words that explain them at the desk."""

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

ORDERS_READ, ORDERS_WRITE = "orders:read", "orders:write"
STOCK_READ, STOCK_WRITE = "stock:read", "stock:write"
PRODUCTS_READ, PRODUCTS_WRITE = "products:read", "products:write"
CUSTOMERS_READ = "customers:read"
JOBS_READ = "jobs:read"

SCOPES: dict[str, str | Promise] = {
    ORDERS_READ: gettext_lazy("Read all orders, without persons"),
    ORDERS_WRITE: gettext_lazy("Take payments, pack, ship, deliver, refund and cancel orders"),
    STOCK_READ: gettext_lazy("Read stock and its movements"),
    STOCK_WRITE: gettext_lazy("Receive, correct and count stock"),
    PRODUCTS_READ: gettext_lazy("Read all products, also those that aren't on sale"),
    PRODUCTS_WRITE: gettext_lazy("Create and change products"),
    CUSTOMERS_READ: gettext_lazy("Read persons: accounts, and who placed an order"),
    JOBS_READ: gettext_lazy("Read jobs"),
}
"""Every scope with what it allows. No scope includes another one."""


PERMISSIONS: dict[str, tuple[str, ...]] = {
    ORDERS_READ: ("orders.view_order",),
    ORDERS_WRITE: ("orders.change_order", "orders.pack_order", "orders.refund_order"),
    STOCK_READ: ("orders.view_stockmovement",),
    STOCK_WRITE: ("orders.add_stockmovement",),
    PRODUCTS_READ: ("orders.view_product",),
    PRODUCTS_WRITE: ("orders.add_product", "orders.change_product"),
    CUSTOMERS_READ: ("orders.view_user", "orders.view_order"),
    JOBS_READ: ("notifications.view_notification", "media_jobs.view_mediajob"),
}
"""What an operator needs to give a scope: nobody lets a key do more than they may themselves."""


class UnknownScopeError(ValueError):
    """No such scope; the text names those that there are."""


def checked_scopes(scopes: Iterable[str]) -> list[str]:
    """Return the scopes in their one order, each once. Raises UnknownScopeError, also for none."""
    wanted, known = set(scopes), ", ".join(SCOPES)
    if unknown := sorted(wanted - SCOPES.keys()):
        text = _("There is no scope %(scope)s. There are: %(known)s.")
        raise UnknownScopeError(text % {"scope": unknown[0], "known": known})
    if not wanted:
        raise UnknownScopeError(_("Give at least one of: %(known)s.") % {"known": known})
    return [scope for scope in SCOPES if scope in wanted]
