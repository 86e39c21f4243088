"""What a linked platform may do, and how people read it."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.agents.versions import READ_ORDERS

SCOPES: dict[str, str | Promise] = {READ_ORDERS: _("Read your orders, also those of the past")}
