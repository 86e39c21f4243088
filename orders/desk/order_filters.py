"""The filters of the list of orders. The overview counts by the same conditions, and links here.

What is sought in other tables comes from small indexes that hold it: the ids of orders with such
jobs, the addresses that something came back from. If it is little, its orders are looked up; if it
is much, the list is read until the page is full.
"""

from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Lower, Now
from django.db.models.lookups import IsNull
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, RangeNumericFilter, TextFilter

from notifications.receipts.bounces import (
    has_trouble,
    returned_addresses,
    troubled_addresses,
)
from orders.desk.stock import products_named
from orders.models import Order, OrderEvent, OrderLine, Payment, Refund
from orders.placing.payment_choice import AT_PICKUP
from project.countries import COUNTRIES
from project.desk.day_ranges import midnight
from project.desk.list_order import FEW, asked_in_turn, in_list_order
from project.desk.row_counts import planned_rows, with_known_rows
from project.jobs.model import models_of_orders
from project.jobs.queryset import OPEN, TROUBLED

PAID = (Order.Status.PAID, Order.Status.PACKED, Order.Status.SHIPPED, Order.Status.DELIVERED)
UNSENT = (Order.Status.PLACED, Order.Status.PAID, Order.Status.PACKED)
UNSENT_DAYS = 30
"""Days in which an order that isn't shipped is looked at for its address."""
FEW_ADDRESSES = 200
"""Addresses that came back, up to which all of them are read: each takes three reads, to see
whether a later message was delivered."""
MANY = 100_000
"""Ids that PostgreSQL keeps in a hash table of its usual memory."""
MANY_PARCELS = 10_000
"""Parcels of a carrier from which on each order is asked for its own: then one of some orders has
one, and a page is soon full. To collect the orders of fewer reads less."""
AMOUNT_DAYS = 90
"""Days in which an amount is looked for without a date: no index has the amounts."""
OVERDUE_HOURS = 72
"""Hours after which an unpaid order is overdue, unless PAYMENT_DUE_HOURS says another number."""


def is_overdue() -> Q:
    """Return the condition for orders that aren't paid, or not in full, after the due time."""
    hours = settings.PAYMENT_DUE_HOURS or OVERDUE_HOURS
    due = Now() - timedelta(hours=hours)
    at_pickup = Q(payment_method=AT_PICKUP)  # not late before
    return Q(~at_pickup, status=Order.Status.PLACED, total__gt=0, placed_at__lt=due)


def is_owed_money() -> Q:
    """Return the condition for orders with a refund that isn't paid out."""
    owed = Refund.objects.filter(status=Refund.Status.OWED)
    return Q(pk__in=owed.order_by().values("order_id"))


def _is_returned() -> Q:
    """Return the condition that something ever came back from `email_in_small`."""
    return Q(email_in_small__in=returned_addresses())


def unsent_to_trouble(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Return the recent orders among these that aren't shipped, and whose address is troubled."""
    since = Now() - timedelta(days=UNSENT_DAYS)
    unsent = orders.filter(status__in=UNSENT, placed_at__gte=since)
    return unsent.alias(email_in_small=Lower("email")).filter(
        asked_in_turn(_is_returned(), also=has_trouble(OuterRef("email_in_small")))
    )


def with_jobs(orders: QuerySet[Order], statuses: tuple[str, ...]) -> QuerySet[Order]:
    """Return the orders that have a job of any kind in one of these statuses."""
    has_one = Q()
    for model in models_of_orders():
        jobs = model._default_manager.filter(order_id=OuterRef("pk"), status__in=statuses)
        has_one |= Q(_is_any(jobs.order_by()))
    return _with_ids(orders, _order_ids(statuses), has_one)


def _with_ids(
    orders: QuerySet[Order], ids: QuerySet[Any], is_one: Any, *, many: int = MANY
) -> QuerySet[Order]:
    """Return the orders with these ids, which may be few or those of most orders.

    If they are more than `many`, each order is asked `is_one`: whether its id is among them.
    """
    some = list(ids[: FEW + 1])
    if len(some) <= FEW:
        # Orders are never deleted, so each id is of one, and is counted without a look at it.
        found, is_all = set(some), not orders.query.where
        return with_known_rows(orders.filter(pk__in=found), at_most=len(found), is_exact=is_all)
    count = max(planned_rows(ids), len(some))
    if count > many:
        return with_known_rows(orders.filter(is_one), at_most=count)
    return in_list_order(orders, Q(pk__in=ids), at_most=count)


def _order_ids(statuses: tuple[str, ...]) -> QuerySet[Any]:
    """Return the orders' ids, those with several such jobs more than once."""
    first, *others = (
        model._default_manager.filter(status__in=statuses, order_id__isnull=False)
        .order_by()
        .values_list("order_id", flat=True)
        for model in models_of_orders()
    )
    return first.union(*others, all=True)


def list_troubled(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Return the orders whose address bounced or complained, of all orders.

    If such addresses are many, the list is read by its order.
    """
    small = orders.alias(email_in_small=Lower("email"))
    if len(returned_addresses()[: FEW_ADDRESSES + 1]) <= FEW_ADDRESSES:
        return small.filter(email_in_small__in=list(troubled_addresses()))
    return in_list_order(
        small,
        _is_returned(),
        also=has_trouble(OuterRef("email_in_small")),
        at_most=planned_rows(small.filter(_is_returned())),
    )


class JobsFilter(admin.SimpleListFilter):
    title = _("jobs")
    parameter_name = "jobs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("trouble", _("Need attention")), ("open", _("Going on"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        if self.value() == "trouble":
            return with_jobs(queryset, TROUBLED)
        if self.value() == "open":
            return with_jobs(queryset, OPEN)
        return queryset


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
        placed = queryset.filter(status=Order.Status.PLACED)
        match self.value():
            case "none":
                return in_list_order(placed, ~_is_paid_in_part(), at_most=planned_rows(placed))
            case "part":
                in_part = _is_paid_in_part()
                return in_list_order(placed, in_part, at_most=planned_rows(placed.filter(in_part)))
            case "full":
                return queryset.filter(status__in=PAID)
            case "overdue":
                return queryset.filter(is_overdue())
            case "owed":
                return queryset.filter(is_owed_money())
        return queryset


def _is_paid_in_part() -> Q:
    """Return the condition that a placed order has some of its money.

    Its events tell, without a look at as many payments as there are orders. Only where a payment
    was undone, which is rare, the payments tell whether anything is left.
    """
    undone = _orders_with(OrderEvent.Kind.PAYMENT_UNDONE)
    left = Payment.objects.filter(order__in=undone).order_by().values("order_id")
    with_rest = left.annotate(sum=Sum("amount")).filter(sum__gt=0).values("order_id")
    never_undone = Q(pk__in=_orders_with(OrderEvent.Kind.PART_PAID)) & ~Q(pk__in=undone)
    return never_undone | Q(pk__in=with_rest)


def _orders_with(kind: OrderEvent.Kind) -> QuerySet[Any]:
    """Return the ids of the orders with such an event, one of the index `event_not_all_paid`."""
    return OrderEvent.objects.filter(kind=kind).order_by().values("order_id")


class AddressFilter(admin.SimpleListFilter):
    title = _("e-mail address")
    parameter_name = "address"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("troubled", _("Bounced or complained")),
            ("unsent", _("Bounced, and the order isn't shipped")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        if self.value() == "troubled":
            return list_troubled(queryset)
        if self.value() == "unsent":
            return unsent_to_trouble(queryset)
        return queryset


class SalesFilter(admin.SimpleListFilter):
    """The orders that the overview counts as sales."""

    title = _("sales")
    parameter_name = "sales"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("counted", _("Neither cancelled nor refunded"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        if self.value() == "counted":
            return queryset.exclude(status__in=Order.UNCOUNTED)
        return queryset


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
        ids = parcels.order_by().values_list("order_id", flat=True)
        its_own = parcels.filter(order=OuterRef("pk"))
        return _with_ids(queryset, ids, _is_any(its_own), many=MANY_PARCELS)


def _is_any(rows: QuerySet[Any]) -> IsNull:
    """Return the condition that an order has one of these rows, which are its own.

    Not an EXISTS: PostgreSQL may read the rows of all orders instead, to look into them.
    """
    return IsNull(Subquery(rows.values("pk")[:1]), False)
