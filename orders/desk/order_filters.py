"""The filters of the desk's list of orders: what they are called there, and what can be chosen.

Their conditions are those of `orders.finding.conditions`.
"""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, RangeNumericFilter, TextFilter

from orders.finding.conditions import (
    AMOUNT_DAYS,
    PICKUP,
    address_is,
    counted_as_sales,
    jobs_are,
    payment_is,
    sent_by,
    sent_to,
    total_between,
    with_product,
)
from orders.models import Order
from project.countries import COUNTRIES
from project.desk.day_ranges import midnight


class JobsFilter(admin.SimpleListFilter):
    title = _("jobs")
    parameter_name = "jobs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("trouble", _("Need attention")), ("open", _("Going on"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        return jobs_are(queryset, self.value() or "")


class PaymentFilter(admin.SimpleListFilter):
    title = _("payment")
    parameter_name = "payment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("none", _("Unpaid")),
            ("part", _("Paid in part")),
            ("full", _("Paid")),
            ("overdue", _("Unpaid and overdue")),
            ("owed", _("Money owed to the customer")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        return payment_is(queryset, self.value() or "")


class AddressFilter(admin.SimpleListFilter):
    title = _("e-mail address")
    parameter_name = "address"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("troubled", _("Bounced or complained")),
            ("unsent", _("Bounced, and the order isn't shipped")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        return address_is(queryset, self.value() or "")


class SalesFilter(admin.SimpleListFilter):
    """The orders that the overview counts as sales."""

    title = _("sales")
    parameter_name = "sales"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("counted", _("Neither cancelled nor refunded"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        return counted_as_sales(queryset) if self.value() == "counted" else queryset


class AmountFilter(RangeNumericFilter):
    """Orders of so much, among those of the dates; without a first day, of the last 90 days."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.title = _("total (without dates: of the last %(days)d days)") % {"days": AMOUNT_DAYS}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        return total_between(
            queryset,
            self._amount("from"),
            self._amount("to"),
            first=midnight(request.GET.get("placed_at_from")),
            last=midnight(request.GET.get("placed_at_to")),
        )

    def _amount(self, end: str) -> Decimal | None:
        """Return the typed amount; None if it is none that an order can have."""
        try:
            amount = Decimal(str(self.used_parameters.get(f"{self.parameter_name}_{end}", "")))
        except InvalidOperation:
            return None
        return amount if amount.is_finite() and abs(amount) < 10**12 else None


class ProductFilter(TextFilter):
    """Orders with a product, by its SKU or words of its name."""

    title = _("product (SKU or name)")
    parameter_name = "product"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        text = (self.value() or "").strip()
        return with_product(queryset, text) if text else queryset


class CountryFilter(DropdownFilter):
    """Orders to a country, or to none."""

    title = _("country")
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        countries = sorted(COUNTRIES.items(), key=lambda item: str(item[1]))
        return [(PICKUP, _("Pickup")), *countries]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        chosen = self.value()
        return sent_to(queryset, chosen) if chosen else queryset


class CarrierFilter(TextFilter):
    """Orders that were shipped by a carrier, as operators wrote its name, in any case."""

    title = _("carrier")
    parameter_name = "carrier"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        name = (self.value() or "").strip()
        return sent_by(queryset, name) if name else queryset
