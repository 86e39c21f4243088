"""What a linked platform may do, and how people read it."""

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.agents.versions import READ_ORDERS

SCOPES: dict[str, str | Promise] = {READ_ORDERS: _("Read your orders, also those of the past")}


def in_words(scopes: Iterable[str]) -> list[str | Promise]:
    """Return what the scopes allow, in the order in which they were asked for."""
    return [SCOPES[scope] for scope in scopes if scope in SCOPES]
