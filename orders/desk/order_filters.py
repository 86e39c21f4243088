"""The filters of the orders' list. Each value has an index, or is bounded by the dates."""

from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, RangeNumericFilter, TextFilter

from notifications.receipts.bounces import troubled_addresses
from orders.desk.stock import products_named
from orders.models import Order, OrderEvent, OrderLine, Payment
from project.countries import COUNTRIES
from project.desk.day_ranges import midnight
from project.jobs.model import job_models
from project.jobs.queryset import OPEN, TROUBLED

PAID = (Order.Status.PAID, Order.Status.PACKED, Order.Status.SHIPPED, Order.Status.DELIVERED)
AMOUNT_DAYS = 90
"""Days in which an amount is looked for without a date: no index has the amounts."""


def has_job(*statuses: str) -> Q:
    """Return the condition for orders with a job of any kind in one of these statuses.

    The ids come from the partial indexes of such jobs, which are few: with an EXISTS for each
    model, PostgreSQL asks all of them for every order.
    """
    first, *others = (
        model._default_manager.filter(status__in=statuses, order_id__isnull=False)
        .order_by()
        .values("order_id")
        for model in job_models()
    )
    return Q(pk__in=first.union(*others))


class JobsFilter(admin.SimpleListFilter):
    title = _("jobs")
    parameter_name = "jobs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("trouble", _("Need attention")), ("open", _("Going on"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        if self.value() == "trouble":
            return queryset.filter(has_job(*TROUBLED))
        if self.value() == "open":
            return queryset.filter(has_job(*OPEN))
        return queryset


class PaymentFilter(admin.SimpleListFilter):
    title = _("payment")
    parameter_name = "payment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("none", _("Unpaid")), ("part", _("Paid in part")), ("full", _("Paid"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        has_payment = Exists(Payment.objects.filter(order=OuterRef("pk")))
        if self.value() == "none":
            return queryset.filter(~has_payment, status=Order.Status.PLACED)
        if self.value() == "part":
            # By the events, because most orders have a payment, and few a part of it.
            in_part = OrderEvent.objects.filter(kind=OrderEvent.Kind.PART_PAID).values("order")
            return queryset.filter(has_payment, status=Order.Status.PLACED, pk__in=in_part)
        if self.value() == "full":
            return queryset.filter(status__in=PAID)
        return queryset


class AddressFilter(admin.SimpleListFilter):
    title = _("e-mail address")
    parameter_name = "address"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("troubled", _("Bounced or complained"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        if self.value() != "troubled":
            return queryset
        small = queryset.alias(email_in_small=Lower("email"))
        return small.filter(email_in_small__in=troubled_addresses())


class AmountFilter(RangeNumericFilter):
    """Orders of so much, among those of the dates; without a first day, of the last 90 days.

    An index of the amounts would be written anywhere in it, with each change of an order. So the
    orders of the days are read, by their index.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.title = _("total (without dates: of the last %(days)d days)") % {"days": AMOUNT_DAYS}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        least, most = self._amount("from"), self._amount("to")
        if least is not None:
            queryset = queryset.filter(total__gte=least)
        if most is not None:
            queryset = queryset.filter(total__lte=most)
        if (least is None and most is None) or midnight(request.GET.get("placed_at_from")):
            return queryset
        last = midnight(request.GET.get("placed_at_to")) or timezone.now()
        return queryset.filter(placed_at__gte=_days_before(last))

    def _amount(self, end: str) -> Decimal | None:
        """Return the typed amount; None if it is none that an order can have."""
        try:
            amount = Decimal(str(self.used_parameters.get(f"{self.parameter_name}_{end}", "")))
        except InvalidOperation:
            return None
        return amount if amount.is_finite() and abs(amount) < 10**12 else None


def _days_before(last: datetime) -> datetime:
    try:
        return last - timedelta(days=AMOUNT_DAYS)
    except OverflowError:
        return last


class ProductFilter(TextFilter):
    """Orders with a product, by its SKU or words of its name."""

    title = _("product (SKU or name)")
    parameter_name = "product"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        if not (text := (self.value() or "").strip()):
            return queryset
        lines = OrderLine.objects.filter(product__in=products_named(text))
        return queryset.filter(pk__in=lines.values("order"))


class CountryFilter(DropdownFilter):
    """Orders to a country, or to none."""

    title = _("country")
    parameter_name = "country"
    PICKUP = "pickup"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        countries = sorted(COUNTRIES.items(), key=lambda item: str(item[1]))
        return [(self.PICKUP, _("Pickup")), *countries]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        if not (chosen := self.value()):
            return queryset
        queryset = queryset.alias(country=KT("address__country"))
        if chosen == self.PICKUP:
            return queryset.filter(country__isnull=True)
        return queryset.filter(country=chosen)


class CarrierFilter(TextFilter):
    """Orders that were shipped by a carrier, as operators wrote its name, in any case."""

    title = _("carrier")
    parameter_name = "carrier"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        if not (name := (self.value() or "").strip()):
            return queryset
        kinds = (OrderEvent.Kind.SHIPPED, OrderEvent.Kind.PARCEL_CORRECTED)
        parcels = OrderEvent.objects.alias(by=Lower(KT("detail__carrier"))).filter(
            kind__in=kinds, by=Lower(Value(name))
        )
        return queryset.filter(pk__in=parcels.values("order"))
