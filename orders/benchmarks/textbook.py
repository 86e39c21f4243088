"""The textbook order: one transaction, conditional F() updates in product order, bulk_create.

It is the usual implementation in Django. `bench placement` compares Tandem with it. Both write the
same rows.
"""

from decimal import Decimal

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
from orders.placing.request import OrderRequest


def place_textbook_order(request: OrderRequest) -> Order:
    """Place the order in one transaction; the row locks are held until its COMMIT."""
    key = order_id(source=request.source, user_id=request.user_id, key=request.key)
    with transaction.atomic():
        if existing := Order.objects.filter(pk=key).first():
            return existing
        quantities = request.merged_lines
        products = list(Product.objects.filter(sku__in=quantities, is_active=True).order_by("pk"))
        for product in products:
            taken = Stock.objects.filter(
                product=product, available__gte=quantities[product.sku]
            ).update(available=F("available") - quantities[product.sku])
            if not taken:
                raise OutOfStock([])
        total = sum((product.price * quantities[product.sku] for product in products), Decimal(0))
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
        )
        lines = [
            OrderLine(
                order=order,
                product=product,
                sku=product.sku,
                name=product.name,
                quantity=quantities[product.sku],
                unit_price=product.price,
                total=product.price * quantities[product.sku],
            )
            for product in products
        ]
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
        for line in lines:
            ProductSales.objects.filter(product=line.product).update(
                units=F("units") + line.quantity, amount=F("amount") + line.total
            )
        SalesEntry.objects.bulk_create(
            SalesEntry(
                order_id=order.pk, product=line.product, units=line.quantity, amount=line.total
            )
            for line in lines
        )
        OrderEvent.objects.create(order=order, kind=Order.Status.PLACED)
        context = {"number": order.display_number} | message_context(order, lines)
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
    return order
