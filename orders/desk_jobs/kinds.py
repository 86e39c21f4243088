"""The kinds of desk jobs.

A kind names its function as text, not by an import: the web process only queues jobs and must not
load the libraries that read spreadsheets.
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
    """An operator needs all of them to queue the work or to read its report."""


IMPORT_PRODUCTS = Kind(
    name="import_products",
    label=_("Product import"),
    work="orders.imports.job.work",
    permissions=("orders.add_product", "orders.change_product"),
)
TAKE_STOCK = Kind(
    name="take_stock",
    label=_("Stock-take"),
    work="orders.imports.stock_take.work",
    permissions=("orders.add_stockmovement",),
)
ANNOUNCE = Kind(
    name="announce",
    label=_("Announcement"),
    work="orders.messages.announcements.fan_out",
    permissions=("orders.change_announcement",),
)
STOP_ANNOUNCEMENT = Kind(
    name="stop_announcement",
    label=_("Stop of an announcement"),
    work="orders.messages.announcements.cancel_rest",
    permissions=("orders.change_announcement",),
)
PRINT_PACKING_SLIPS = Kind(
    name="print_packing_slips",
    label=_("Packing slips"),
    work="orders.papers.selection.print_packing_slips",
    permissions=("orders.pack_order",),
)
PRINT_PICK_LIST = Kind(
    name="print_pick_list",
    label=_("Pick list"),
    work="orders.papers.selection.print_pick_list",
    permissions=("orders.pack_order",),
)
PRINT_INVOICES = Kind(
    name="print_invoices",
    label=_("Invoices"),
    work="orders.papers.selection.print_invoices",
    permissions=("orders.change_order",),
)
EXPORT_LIST = Kind(
    name="export_list",
    label=_("Export"),
    work="orders.desk_jobs.exports.write_export",
    permissions=(),  # that of the list, which is checked with each file
)
STEP_ORDERS = Kind(
    name="step_orders",
    label=_("Step of many orders"),
    work="orders.desk_jobs.order_steps.take_steps",
    permissions=("orders.view_order",),  # that of the step is checked when it is taken
)
EXPORT_PERSON = Kind(
    name="export_person",
    label=_("Export of a person's data"),
    work="orders.personal_data.jobs.export",
    permissions=("orders.export_person",),
)
ERASE_PERSON = Kind(
    name="erase_person",
    label=_("Erasure of a person"),
    work="orders.personal_data.jobs.erase",
    permissions=("orders.erase_person",),
)
KINDS = {
    kind.name: kind
    for kind in (
        IMPORT_PRODUCTS,
        TAKE_STOCK,
        ANNOUNCE,
        STOP_ANNOUNCEMENT,
        PRINT_PACKING_SLIPS,
        PRINT_PICK_LIST,
        PRINT_INVOICES,
        EXPORT_LIST,
        STEP_ORDERS,
        EXPORT_PERSON,
        ERASE_PERSON,
    )
}
