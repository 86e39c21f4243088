"""Textbook orders: one transaction, `bulk_create`, the counters in product order.

They are the usual implementations in Django. `bench placement` compares Tandem with them. All
write the same rows.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F

from media_jobs.models import MediaJob
from media_jobs.outbox import pickup_pass_job
from notifications.models import Notification
from notifications.outbox import order_messages
from orders.models import (
    Order,
    OrderEvent,
    OrderLine,
    Product,
    ProductSales,
    SalesEntry,
    Stock,
    StockMovement,
)
from orders.placing.errors import OutOfStock
from orders.placing.identity import order_id
from orders.placing.message_context import message_context
from orders.placing.payment_choice import method_of, payment_context
from orders.placing.request import OrderRequest


def place_textbook_order(request: OrderRequest) -> Order:
    """Place the order by conditional updates; the row locks are held until its COMMIT."""
    return _place(request, take=take_stock, count=count_sales)


def place_locked_order(request: OrderRequest) -> Order:
    """Place the order by `select_for_update`: lock the counters, look, save."""
    return _place(request, take=_lock_and_take, count=_lock_and_count)


def place_unsorted_order(request: OrderRequest) -> Order:
    """Place the order as the textbook does, but its products in the order of the basket.

    It is a control: such orders deadlock.
    """
    return _place(request, take=take_stock, count=count_sales, is_sorted=False)


def _place(
    request: OrderRequest,
    *,
    take: Callable[[Sequence[OrderLine]], None],
    count: Callable[[Sequence[OrderLine]], None],
    is_sorted: bool = True,
) -> Order:
    key = id_of(request)
    with transaction.atomic():
        if existing := Order.objects.filter(pk=key).first():
            return existing
        lines = lines_of(request, key)
        if not is_sorted:
            skus = list(request.merged_lines)
            lines.sort(key=lambda line: skus.index(line.sku))
        take(lines)
        order = write_order(request, key, lines)
        count(lines)
        write_entries(lines)
    return order


def id_of(request: OrderRequest) -> UUID:
    """Return the id that the order gets."""
    return order_id(source=request.source, user_id=request.user_id, key=request.key)


def lines_of(request: OrderRequest, key: UUID) -> list[OrderLine]:
    """Return the order's lines, unsaved, in product order."""
    quantities = request.merged_lines
    products = Product.objects.filter(sku__in=quantities, is_active=True).order_by("pk")
    return [
        OrderLine(
            order_id=key,
            product=product,
            sku=product.sku,
            name=product.name,
            quantity=quantities[product.sku],
            unit_price=product.price,
            total=product.price * quantities[product.sku],
        )
        for product in products
    ]


def take_stock(lines: Sequence[OrderLine]) -> None:
    """Take the lines' units by one conditional update each. Raises OutOfStock."""
    for line in lines:
        enough = Stock.objects.filter(product=line.product, available__gte=line.quantity)
        if not enough.update(available=F("available") - line.quantity):
            raise OutOfStock([])


def _lock_and_take(lines: Sequence[OrderLine]) -> None:
    units = {line.product_id: line.quantity for line in lines}
    rows = Stock.objects.select_for_update().filter(product__in=units)
    for stock in rows.order_by("product_id"):
        if stock.available < units[stock.product_id]:
            raise OutOfStock([])
        stock.available -= units[stock.product_id]
        stock.save(update_fields=["available"])


def count_sales(lines: Sequence[OrderLine]) -> None:
    """Add the lines to the counters of their products by one update each."""
    for line in lines:
        ProductSales.objects.filter(product=line.product).update(
            units=F("units") + line.quantity, amount=F("amount") + line.total
        )


def _lock_and_count(lines: Sequence[OrderLine]) -> None:
    by_product = {line.product_id: line for line in lines}
    rows = ProductSales.objects.select_for_update().filter(product__in=by_product)
    for sales in rows.order_by("product_id"):
        sales.units += by_product[sales.product_id].quantity
        sales.amount += by_product[sales.product_id].total
        sales.save(update_fields=["units", "amount"])


def write_order(request: OrderRequest, key: UUID, lines: Sequence[OrderLine]) -> Order:
    """Write the order with its lines, movements, event and jobs, in the caller's transaction."""
    total = sum((line.total for line in lines), Decimal(0))
    order = Order.objects.create(
        id=key,
        door=request.source,
        fingerprint=request.fingerprint(),
        name=request.name,
        email=request.email,
        phone=request.phone,
        language=request.language,
        currency=settings.SHOP_CURRENCY,
        items_total=total,
        total=total,
        payment_method=method_of("", is_picked_up=True, total=total),
    )
    OrderLine.objects.bulk_create(lines)
    StockMovement.objects.bulk_create(
        StockMovement(
            product=line.product,
            order=order,
            kind=StockMovement.Kind.ORDER,
            quantity=-line.quantity,
        )
        for line in lines
    )
    OrderEvent.objects.create(order=order, kind=Order.Status.PLACED)
    _queue_jobs(order, lines)
    return order


def _queue_jobs(order: Order, lines: Sequence[OrderLine]) -> None:
    context = {
        "number": order.display_number,
        "placed_at": order.placed_at.isoformat(),
        **message_context(order, lines),
        **payment_context(order),
    }
    Notification.objects.bulk_create(
        order_messages(
            event="order_placed",
            order_id=order.pk,
            context=context,
            email=order.email,
            phone=order.phone,
            language=order.language,
        )
    )
    MediaJob.objects.bulk_create([pickup_pass_job(order_id=order.pk, context=context)])


def write_entries(lines: Sequence[OrderLine]) -> None:
    """Write the order's part of the sales ledger, in the caller's transaction."""
    SalesEntry.objects.bulk_create(
        SalesEntry(
            order_id=line.order_id, product=line.product, units=line.quantity, amount=line.total
        )
        for line in lines
    )
