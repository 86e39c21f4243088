"""Waiting lists at the desk: who wants to be told of which product. Shoppers write them.

An operator can take somebody off who asks for it, and changes nothing else.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.decorators import display

from orders.finding.products import products_named
from orders.models import Stock, WaitingListEntry
from project.desk.address_search import searched_address
from project.desk.long_lists import LongList
from project.email_addresses import readable_address


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("waits", _("Waits")), ("told", _("Told")), ("unconfirmed", _("Not confirmed"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[WaitingListEntry]
    ) -> QuerySet[WaitingListEntry]:
        states = {
            "waits": Q(confirmed_at__isnull=False, told_at=None),
            "told": Q(told_at__isnull=False),
            "unconfirmed": Q(confirmed_at=None),
        }
        return queryset.filter(states.get(self.value() or "", Q()))


@admin.register(WaitingListEntry)
class WaitingListAdmin(LongList):
    list_display = ("address", "product", "available", "created_at", "confirmed_at", "told_at")
    list_display_links = None
    list_select_related = ("product",)
    list_filter = (StateFilter,)
    ordering = ("-created_at", "-id")
    sortable = {"created_at": ("created_at", "id")}
    search_fields = ("email", "product__sku", "product__name")
    search_help_text = _("SKU, words of the product's name, or the beginning of an address.")
    fields = ("address", "product", "language", "created_at", "confirmed_at", "told_at")
    readonly_fields = fields

    def matches(self, text: str) -> Q:
        """Find the address's entries, else the product's."""
        if "@" not in text and (products := products_named(text)):
            return Q(product__in=products)
        return Q(pk__in=_addresses(searched_address(text).lower()))

    def complete(self, rows: list[Any]) -> None:
        stocks = Stock.objects.filter(product__in=[row.product_id for row in rows])
        available = dict(stocks.values_list("product_id", "available"))
        for row in rows:
            row.available = available.get(row.product_id, 0)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description=pgettext_lazy("address", "E-mail"))
    def address(self, entry: WaitingListEntry) -> str:
        return readable_address(entry.email)

    @display(description=_("units on hand"))
    def available(self, entry: Any) -> int:
        return int(entry.available)


def _addresses(beginning: str) -> QuerySet[Any]:
    entries = WaitingListEntry.objects.alias(small=Lower("email"))
    return entries.filter(small__startswith=beginning).values("pk")
