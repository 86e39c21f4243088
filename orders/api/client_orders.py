"""`GET orders` and `GET orders/<id or number>`: how an API client sees the shop's orders.

Without a key an order is read by its id, which can't be guessed (`orders.answer_now`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Now
from django.http import HttpRequest
from ninja import Path, Query

from orders.api.client_access import ClientKey, access_of, missing_scope
from orders.api.orders import answer_now, router
from orders.api.pages import cursor_of, read_rows, refuse_unknown
from orders.api.problems import Problem
from orders.api.schemas.clients import ClientLineOut, ClientOrderOut, CustomerOfOrder
from orders.api.schemas.order import DeliveryOut, OrderOut
from orders.api.schemas.order_list import OrderFilters, OrderPage
from orders.api.schemas.problems import InvalidOut, ProblemOut
from orders.clients.scopes import CUSTOMERS_READ, ORDERS_READ
from orders.finding.conditions import (
    address_is,
    counted_as_sales,
    jobs_are,
    payment_is,
    sent_by,
    sent_to,
    total_between,
    with_product,
)
from orders.finding.search import means_order
from orders.lifecycle.payouts import due_after
from orders.models import Order, OrderLine, Payment, Refund
from project.database.clock import database_now
from project.desk.day_ranges import begin_of
from project.desk.search_terms import typed_id
from project.order_numbers import order_number

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_CHANGE = timedelta(seconds=30)
"""No transaction that changes an order takes longer (its locks and statements have time limits).

An order gets `changed_at` before its transaction commits, so a client may read past it. Whoever
resumes from so long ago sees it then.
"""
Reference = Annotated[
    str,
    Path(description="Its id or its number.", example="T1001"),
]


@router.get(
    "/orders",
    response={200: OrderPage, 422: InvalidOut},
    auth=ClientKey(ORDERS_READ),
    summary="List orders",
)
def list_orders(request: HttpRequest, filters: Query[OrderFilters]) -> OrderPage:
    """All orders of the shop, the longest unchanged first: a client keeps a copy up to date by it.

    Follow `next` until it is null. Later, begin with `resume_after` as `updated_after`: what was
    placed or changed since comes, also what was being written while you read.
    """
    refuse_unknown(request, filters)
    access = access_of(request)
    has_persons = access is not None and access.may(CUSTOMERS_READ)
    orders = _filtered(filters, has_persons=has_persons).order_by("changed_at", "id")
    # `changed_at` is of the database's clock, so is the time at which the rows were read.
    page = read_rows(orders.annotate(read_at=Now()), cursor=filters.cursor, size=filters.limit)
    now = page.rows[0].read_at if page.rows else database_now()
    last = page.rows[-1].changed_at if page.rows else filters.updated_after
    return OrderPage.model_construct(
        items=seen_orders(page.rows, has_persons=has_persons, in_full=True),
        next=cursor_of(page.next),
        resume_after=last and min(last, now - LONGEST_CHANGE),
    )


@router.get(
    "/orders/{order}",
    response={200: OrderOut | ClientOrderOut, (403, 404): ProblemOut},
    summary="Read an order",
)
def read_order(request: HttpRequest, order: Reference) -> OrderOut | ClientOrderOut:
    """By its id, which can't be guessed: the order with its jobs and returns, without a key.

    By its number: the order as the list has it, with a key that has the scope `orders:read`.
    """
    if wanted := typed_id(order):
        found = Order.objects.filter(pk=wanted).first()
        if found is None:
            raise unknown_order()
        return answer_now(found)
    access = access_of(request)
    if access is None or order_number(order) is None:  # numbers can be guessed
        raise unknown_order()
    if not access.may(ORDERS_READ):
        raise missing_scope(ORDERS_READ)
    has_persons = access.may(CUSTOMERS_READ)
    (seen,) = seen_orders([find_order(order)], has_persons=has_persons, in_full=True)
    return seen


def _filtered(filters: OrderFilters, *, has_persons: bool) -> QuerySet[Order]:
    orders = Order.objects.all()
    if filters.updated_after is not None:
        orders = orders.filter(changed_at__gt=max(filters.updated_after, EARLIEST))
    if filters.q:
        orders = orders.filter(_is_meant(filters.q, has_persons=has_persons))
    if filters.status:
        orders = orders.filter(status=filters.status)
    if filters.source:
        orders = orders.filter(door=filters.source)
    first = _begin(filters.placed_from)
    after = _begin(filters.placed_to, days=1)
    if first:
        orders = orders.filter(placed_at__gte=first)
    if after:
        orders = orders.filter(placed_at__lt=after)
    orders = jobs_are(orders, filters.jobs or "")
    orders = payment_is(orders, filters.payment or "")
    orders = address_is(orders, filters.address or "")
    if filters.sales:
        orders = counted_as_sales(orders)
    orders = total_between(orders, filters.total_from, filters.total_to, first=first, last=after)
    if filters.product:
        orders = with_product(orders, filters.product)
    if filters.country:
        orders = sent_to(orders, filters.country)
    return sent_by(orders, filters.carrier) if filters.carrier else orders


def _begin(day: date | None, *, days: int = 0) -> datetime | None:
    """Return the begin of the day, or of the days after it; None without a day."""
    return begin_of(max(day, EARLIEST.date()), days=days) if day else None


def _is_meant(text: str, *, has_persons: bool) -> Q:
    """Return the desk's condition for the text; without persons only a number is sought."""
    if has_persons:
        return means_order(text)
    number = order_number(text)
    if number is None:
        raise missing_scope(CUSTOMERS_READ)
    return Q(number=number)


def find_order(reference: str) -> Order:
    """Return the order with this id or number. Raises Problem: 404."""
    number = order_number(reference)
    wanted = typed_id(reference) if number is None else None
    if number is not None:
        order = Order.objects.filter(number=number).first()
    else:
        order = Order.objects.filter(pk=wanted).first() if wanted else None
    if order is None:
        raise unknown_order()
    return order


def unknown_order() -> Problem:
    """Return the answer about an order that doesn't exist, or that isn't the asker's to know."""
    return Problem(404, "not_found", "There is no such order.")


def seen_orders(
    orders: Sequence[Order], *, has_persons: bool, in_full: bool = False
) -> list[ClientOrderOut]:
    """Return the orders as an API client sees them, in four queries for all of them.

    `has_persons`: whether its key may read persons; `in_full`: with the person of each.
    """
    ids = [order.pk for order in orders]
    lines: dict[UUID, list[OrderLine]] = {pk: [] for pk in ids}
    for line in OrderLine.objects.filter(order__in=ids):
        lines[line.order_id].append(line)
    money = _money(ids)
    return [
        _seen(
            order,
            lines[order.pk],
            money=money.get(order.pk, _Money()),
            has_persons=has_persons,
            with_customer=has_persons and in_full,
        )
        for order in orders
    ]


@dataclass(frozen=True)
class _Money:
    """What came in for an order, and what of it wasn't needed (`orders.lifecycle.payouts`)."""

    paid: Decimal = Decimal(0)
    returned: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)
    """Refunds of any cause, owed or paid out."""


def _money(ids: Sequence[UUID]) -> dict[UUID, _Money]:
    """Return the money of the orders that have some."""
    payments = Payment.objects.filter(order__in=ids).order_by().values_list("order")
    refunds = Refund.objects.filter(order__in=ids).exclude(status=Refund.Status.NOT_OWED)
    rows = refunds.order_by().values_list("order")
    paid = dict(payments.annotate(sum=Sum("amount")))
    refunded = dict(rows.annotate(sum=Sum("amount")))
    returned = dict(rows.filter(lines=None).annotate(sum=Sum("amount")))
    none = Decimal(0)
    return {
        pk: _Money(paid.get(pk, none), returned.get(pk, none), refunded.get(pk, none))
        for pk in paid.keys() | refunded.keys()
    }


def _seen(
    order: Order,
    lines: Sequence[OrderLine],
    *,
    money: _Money,
    has_persons: bool,
    with_customer: bool,
) -> ClientOrderOut:
    due = due_after(order, paid=money.paid, returned=money.returned)
    return ClientOrderOut.model_construct(
        id=order.pk if has_persons else None,
        number=order.display_number,
        status=order.status,
        source=order.door,
        placed_at=order.placed_at,
        changed_at=order.changed_at,
        currency=order.currency,
        delivery_total=str(order.delivery_total),
        discount_total=str(order.discount_total),
        voucher=order.voucher_code,
        total=str(order.total),
        paid=f"{money.paid:.2f}",
        refunded=f"{money.refunded:.2f}",
        due=f"{due:.2f}",
        payment_method=order.payment_method,
        delivery=DeliveryOut(**order.delivery) if order.delivery else None,
        country=order.address.get("country"),
        lines=[_line(line) for line in lines],
        status_url=settings.SITE_URL + order.get_absolute_url() if has_persons else None,
        customer=_customer(order) if with_customer else None,
    )


def _line(line: OrderLine) -> ClientLineOut:
    return ClientLineOut.model_construct(
        sku=line.sku,
        name=line.name,
        quantity=line.quantity,
        refunded=line.refunded,
        unit_price=str(line.unit_price),
        total=str(line.total),
    )


def _customer(order: Order) -> CustomerOfOrder:
    return CustomerOfOrder.model_construct(
        name=order.name,
        email=order.email,
        phone=order.phone,
        language=order.language,
        address=order.address,
    )
