"""Pricing: turns a request and its offers into a draft that the writers can write.

`placement` calls it before it submits the draft. It writes nothing.
"""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from media_jobs.outbox import pickup_pass_job
from notifications.outbox import order_messages
from orders.models import Order
from orders.placing.by_operator import price_errors
from orders.placing.errors import FieldError, InvalidOrder, OutOfStock, Shortage, TotalChanged
from orders.placing.message_context import message_context
from orders.placing.offers import Offer
from orders.placing.personalising import draft_uploads, find_uploads, upload_errors
from orders.placing.request import MAX_QUANTITY, OrderRequest
from orders.placing.stock_writer import Draft, DraftLine
from orders.placing.uploads import DraftUpload

LARGEST_TOTAL = Decimal("999999999999.99")
"""The largest amount that the columns of an order's totals can keep."""


def price(request: OrderRequest, *, order_id: UUID, offers: dict[str, Offer]) -> Draft:
    """Return the priced order with its jobs. Raises InvalidOrder, TotalChanged or OutOfStock.

    The offers' stock was read without a lock. A refusal here keeps a rush on a sold-out product
    away from the StockWriter.
    """
    quantities = request.merged_lines
    errors = [
        FieldError(f"lines.{position}.sku", _("There is no such product."))
        for position, line in enumerate(request.lines)
        if line.sku not in offers
    ] + [
        FieldError(
            f"lines.{position}.quantity",
            _("Order at most %(most)d of one product.") % {"most": MAX_QUANTITY},
        )
        for position, line in enumerate(request.lines)
        if quantities[line.sku] > MAX_QUANTITY
    ]
    uploads = find_uploads(request)
    errors += upload_errors(request, offers, uploads)
    errors += price_errors(request.operator, [line.sku for line in request.lines])
    if errors:
        raise InvalidOrder(errors)
    lines = []
    shortages = []
    for sku, quantity in quantities.items():
        offer = offers[sku]
        unit_price = request.operator.unit_price(sku, offer) if request.operator else offer.price
        lines.append(
            DraftLine(
                product_id=offer.product_id,
                sku=sku,
                name=offer.name,
                quantity=quantity,
                unit_price=unit_price,
                total=unit_price * quantity,
            )
        )
        if offer.available < quantity:
            shortages.append(Shortage(sku, offer.name, quantity, offer.available))
    items_total = sum((line.total for line in lines), Decimal(0))
    delivery_total = Decimal(0)  # delivery has no price yet
    total = items_total + delivery_total
    if total > LARGEST_TOTAL:
        message = _("The order's total is too large. Order less at a time.")
        raise InvalidOrder([FieldError("lines", message)])
    if request.expected_total is not None and request.expected_total != total:
        raise TotalChanged(total)
    if shortages:
        raise OutOfStock(shortages)
    order = Order(
        id=order_id,
        door=request.source,
        user_id=request.user_id,
        fingerprint=request.fingerprint(),
        status=Order.Status.PLACED,
        name=request.name,
        email=request.email,
        phone=request.phone,
        language=request.language,
        address=request.address,
        currency=settings.SHOP_CURRENCY,
        items_total=items_total,
        delivery_total=delivery_total,
        total=total,
    )
    draft = _with_jobs(order, tuple(lines), draft_uploads(request, order, offers, uploads))
    if (operator := request.operator) is None:
        return draft
    return replace(draft, operator_id=operator.user_id, detail=operator.detail(offers))


def _with_jobs(
    order: Order, lines: tuple[DraftLine, ...], uploads: tuple[DraftUpload, ...]
) -> Draft:
    """Add the order's jobs. StockWriter assigns the order's number and adds it to the context."""
    context = message_context(order, lines)
    return Draft(
        order=order,
        lines=lines,
        notifications=tuple(
            order_messages(
                event="order_placed",
                order_id=order.pk,
                context=context,
                email=order.email,
                phone=order.phone,
                language=order.language,
            )
        ),
        # An order that is delivered is not picked up.
        media_jobs=() if order.address else (pickup_pass_job(order_id=order.pk, context=context),),
        context=context,
        uploads=uploads,
    )
