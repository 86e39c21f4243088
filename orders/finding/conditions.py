"""The conditions of lists of orders: the desk's filters and the API's are these.

The overview counts by the same ones, and links to the desk's list.

What is sought in other tables comes from small indexes that hold it: the ids of orders with such
jobs, the addresses that something came back from. If it is little, its orders are looked up; if it
is much, the list is read until the page is full.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Lower, Now
from django.db.models.lookups import IsNull
from django.utils import timezone

from notifications.receipts.bounces import (
    has_trouble,
    returned_addresses,
    troubled_addresses,
)
from orders.finding.products import products_named
from orders.models import Order, OrderEvent, OrderLine, Payment, Refund
from orders.placing.payment_choice import AT_PICKUP
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
PICKUP = "pickup"
"""Stands for no country: the order is fetched."""
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


def jobs_are(orders: QuerySet[Order], state: str) -> QuerySet[Order]:
    """Return the orders with jobs that are in `trouble`, or `open`; all for any other state."""
    statuses = {"trouble": TROUBLED, "open": OPEN}.get(state)
    return orders if statuses is None else with_jobs(orders, statuses)


def payment_is(orders: QuerySet[Order], state: str) -> QuerySet[Order]:
    """Return the orders that are paid `none`, in `part` or in `full`, that are `overdue`, or whose
    customer is `owed` money; all for any other state.
    """
    placed = orders.filter(status=Order.Status.PLACED)
    match state:
        case "none":
            return in_list_order(placed, ~_is_paid_in_part(), at_most=planned_rows(placed))
        case "part":
            in_part = _is_paid_in_part()
            return in_list_order(placed, in_part, at_most=planned_rows(placed.filter(in_part)))
        case "full":
            return orders.filter(status__in=PAID)
        case "overdue":
            return orders.filter(is_overdue())
        case "owed":
            return orders.filter(is_owed_money())
    return orders


def address_is(orders: QuerySet[Order], state: str) -> QuerySet[Order]:
    """Return the orders whose address is `troubled`, or is so and they are `unsent`; else all."""
    if state == "troubled":
        return list_troubled(orders)
    return unsent_to_trouble(orders) if state == "unsent" else orders


def counted_as_sales(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Return the orders that the overview counts as sales."""
    return orders.exclude(status__in=Order.UNCOUNTED)


def total_between(
    orders: QuerySet[Order],
    least: Decimal | None,
    most: Decimal | None,
    *,
    first: datetime | None,
    last: datetime | None,
) -> QuerySet[Order]:
    """Return the orders of so much, among those of the times that the list is filtered by.

    Without a first time, of the last AMOUNT_DAYS. An index of the amounts would be written anywhere
    in it, with each change of an order. So the orders of the days are read, by their index.
    """
    if least is not None:
        orders = orders.filter(total__gte=least)
    if most is not None:
        orders = orders.filter(total__lte=most)
    if (least is None and most is None) or first:
        return orders
    return orders.filter(placed_at__gte=_days_before(last or timezone.now()))


def with_product(orders: QuerySet[Order], text: str) -> QuerySet[Order]:
    """Return the orders with a product, by its SKU or words of its name."""
    lines = OrderLine.objects.filter(product__in=products_named(text))
    return orders.filter(pk__in=lines.values("order"))


def sent_to(orders: QuerySet[Order], country: str) -> QuerySet[Order]:
    """Return the orders to the country, or those to none: PICKUP."""
    orders = orders.alias(country=KT("address__country"))
    if country == PICKUP:
        return orders.filter(country__isnull=True)
    return orders.filter(country=country)


def sent_by(orders: QuerySet[Order], carrier: str) -> QuerySet[Order]:
    """Return the orders that were shipped by a carrier, as people wrote its name, in any case."""
    kinds = (OrderEvent.Kind.SHIPPED, OrderEvent.Kind.PARCEL_CORRECTED)
    parcels = OrderEvent.objects.alias(by=Lower(KT("detail__carrier"))).filter(
        kind__in=kinds, by=Lower(Value(carrier))
    )
    ids = parcels.order_by().values_list("order_id", flat=True)
    its_own = parcels.filter(order=OuterRef("pk"))
    return _with_ids(orders, ids, _is_any(its_own), many=MANY_PARCELS)


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


def _days_before(last: datetime) -> datetime:
    try:
        return last - timedelta(days=AMOUNT_DAYS)
    except OverflowError:
        return last


def _is_any(rows: QuerySet[Any]) -> IsNull:
    """Return the condition that an order has one of these rows, which are its own.

    Not an EXISTS: PostgreSQL may read the rows of all orders instead, to look into them.
    """
    return IsNull(Subquery(rows.values("pk")[:1]), False)
