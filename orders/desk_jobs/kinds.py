"""Which work a `DeskJob` can do.

Declarative: a kind names the function that does it, as text, because the web process only asks
and must not load what reads spreadsheets.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Kind:
    """One kind of work: a function that takes a claimed DeskJob and returns small JSON."""

    name: str
    label: str | Promise
    work: str
    permissions: tuple[str, ...]
    """Who asks for it, or reads its report, needs all of them."""


IMPORT_PRODUCTS = Kind(
    name="import_products",
    label=_("Product import"),
    work="orders.imports.job.work",
    permissions=("orders.add_product", "orders.change_product"),
)
ANNOUNCE = Kind(
    name="announce",
    label=_("Announcement"),
    work="orders.messages.announcements.fan_out",
    permissions=("orders.change_announcement",),
)
KINDS = {kind.name: kind for kind in (IMPORT_PRODUCTS, ANNOUNCE)}
