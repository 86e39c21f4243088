"""Holds at the desk: which units are set aside, until when, and what became of them.

Shoppers and API clients make them. An operator can give one back before its time, and changes
nothing else.
"""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from orders.finding.products import products_named
from orders.holds.holding import give_back
from orders.models import Hold, HoldLine, Order
from orders.placing.errors import PlacementError
from project.desk.audit_log import LoggedActions
from project.desk.long_lists import LongList


@admin.register(Hold)
class HoldAdmin(LoggedActions, LongList):
    list_display = ("created_at", "state", "products", "units", "expires_at", "ended_at", "order")
    list_display_links = None
    list_filter = ("status",)
    ordering = ("-created_at", "-id")
    sortable = {"created_at": ("created_at", "id")}
    search_fields = ("id",)
    search_help_text = _("SKU or words of the product's name: what is held now.")
    fields = ("state", "products", "units", "created_at", "expires_at", "ended_at", "order")
    readonly_fields = fields
    actions = ("give_back",)

    def matches(self, text: str) -> Q:
        """Find what is held now of the products."""
        return Q(lines__product__in=products_named(text))

    def complete(self, rows: list[Any]) -> None:
        lines = HoldLine.objects.filter(hold__in=[row.pk for row in rows]).order_by("pk")
        held: dict[Any, list[str]] = {}
        for line in lines.select_related("product"):
            held.setdefault(line.hold_id, []).append(f"{line.quantity} × {line.product.name}")
        orders = Order.objects.in_bulk([row.order_id for row in rows if row.order_id])
        for row in rows:
            row.held, row.ordered = held.get(row.pk, []), orders.get(row.order_id)

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        hold = super().get_object(request, object_id, from_field)
        if hold is not None:
            self.complete([hold])
        return hold

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_give_back_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("orders.change_hold"))

    @admin.action(description=_("Give back"), permissions=["give_back"])
    def give_back(self, request: HttpRequest, holds: QuerySet[Hold]) -> None:
        """End the open ones among these holds: anybody can buy their units again."""
        ended = busy = 0
        for hold_id in holds.filter(status=Hold.Status.OPEN).values_list("pk", flat=True):
            try:
                ended += give_back(hold_id) == Hold.Status.GIVEN_BACK
            except PlacementError:
                busy += 1
        done = ngettext("%(count)d hold was given back.", "%(count)d holds were given back.", ended)
        messages.success(request, done % {"count": ended})
        if busy:
            text = _("%(count)d holds couldn’t be given back now: try again in a moment.")
            messages.warning(request, text % {"count": busy})

    @display(
        description=_("state"),
        label={
            Hold.Status.OPEN: "info",
            Hold.Status.ORDERED: "success",
            Hold.Status.EXPIRED: "warning",
        },
    )
    def state(self, hold: Hold) -> tuple[str, str]:
        return hold.status, str(hold.get_status_display())

    @display(description=_("products"))
    def products(self, hold: Any) -> str:
        return ", ".join(hold.held) or "–"

    @display(description=_("order"))
    def order(self, hold: Any) -> str:
        return hold.ordered.display_number if hold.ordered else "–"
