"""Pricing: turns a request and its offers into a draft that the writers can write.

`placement` calls it before it submits the draft. It writes nothing.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from media_jobs.outbox import pickup_pass_job
from notifications.models import SYNTHETIC
from notifications.outbox import order_messages
from orders.models import Order, Voucher
from orders.placing.by_operator import price_errors
from orders.placing.delivery import quote_of
from orders.placing.draft import Draft, DraftLine
from orders.placing.errors import (
    DeliveryChanged,
    FieldError,
    InvalidOrder,
    OutOfStock,
    Shortage,
    TotalChanged,
    VoucherRefused,
)
from orders.placing.held_units import HeldUnits
from orders.placing.message_context import message_context
from orders.placing.offers import Offer, parents_among
from orders.placing.payment_choice import method_of, payment_context
from orders.placing.personalising import draft_uploads, find_uploads, upload_errors
from orders.placing.request import OrderRequest, line_errors
from orders.placing.uploads import DraftUpload
from orders.placing.voucher_rows import DraftUse
from orders.quotes.parcel import Quote
from orders.vouchers.discount import DiscountedLine, discounts_of
from orders.vouchers.refusal import Refusal
from orders.vouchers.uses import persons_of

LARGEST_TOTAL = Decimal("999999999999.99")
"""The largest amount that the columns of an order's totals can keep."""


def price(
    request: OrderRequest,
    *,
    order_id: UUID,
    offers: dict[str, Offer],
    ahead: Quote | DeliveryChanged | None = None,
    held: HeldUnits | None = None,
    voucher: Voucher | None = None,
) -> Draft:
    """Return the priced order with its jobs.

    `ahead` is what `quote_ahead` returned; the units of the hold that it uses count as available.
    Raises VoucherRefused, too. Raises InvalidOrder, DeliveryChanged, TotalChanged or
    OutOfStock.

    The offers' stock was read without a lock. A refusal here keeps a rush on a sold-out product
    away from the StockWriter.
    """
    quantities = request.merged_lines
    errors = line_errors(
        request.lines, unknown=quantities.keys() - offers.keys(), parents=parents_among(offers)
    )
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
                tax_rate=offer.tax_rate,
            )
        )
        available = offer.available + (held.units.get(offer.product_id, 0) if held else 0)
        if available < quantity:
            shortages.append(Shortage(sku, offer.name, quantity, available))
    items_total = sum((line.total for line in lines), Decimal(0))
    quote = _quote(request, offers, ahead)
    delivery_total = quote.price if quote else Decimal("0.00")
    discount_total = Decimal("0.00")
    if voucher is not None:
        discounts = _discounts(voucher, lines, offers)
        lines = [replace(line, discount=off) for line, off in zip(lines, discounts, strict=True)]
        discount_total = sum(discounts, discount_total)
    total = items_total + delivery_total - discount_total
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
        delivery=frozen_quote(quote),
        discount_total=discount_total,
        voucher_code=voucher.code if voucher else "",
        total=total,
        payment_method=method_of(
            request.payment_method, is_picked_up=not request.address, total=total
        ),
    )
    draft = _with_jobs(
        order,
        tuple(lines),
        draft_uploads(request, order, offers, uploads),
        event=SYNTHETIC if request.is_synthetic else "order_placed",
    )
    if held is not None or voucher is not None:
        draft = replace(draft, held=held, use=_use(voucher, request, discount_total))
    if request.is_synthetic:
        return replace(draft, is_synthetic=True)
    if (operator := request.operator) is None:
        return draft
    return replace(draft, operator_id=operator.user_id, detail=operator.detail(offers))


def _quote(
    request: OrderRequest, offers: dict[str, Offer], ahead: Quote | DeliveryChanged | None
) -> Quote | None:
    """Return the quote of the chosen delivery, if one was chosen."""
    if isinstance(ahead, DeliveryChanged):
        raise ahead
    if ahead is not None or request.delivery is None:
        return ahead
    return quote_of(request, request.delivery, offers)


def _discounts(voucher: Voucher, lines: list[DraftLine], offers: dict[str, Offer]) -> list[Decimal]:
    """Return what the voucher takes off each line. Raises VoucherRefused."""
    sold = [DiscountedLine(line.total, offers[line.sku].category_id) for line in lines]
    try:
        return discounts_of(voucher, sold, currency=settings.SHOP_CURRENCY)
    except Refusal as refusal:
        raise VoucherRefused(refusal.reason, refusal.code, refusal.amount) from refusal


def _use(voucher: Voucher | None, request: OrderRequest, amount: Decimal) -> DraftUse | None:
    if voucher is None:
        return None
    return DraftUse(voucher.pk, voucher.code, persons_of(request.email), amount)


def frozen_quote(quote: Quote | None) -> dict[str, Any]:
    """Return what the order keeps of its quote, in the language of the shopper."""
    if quote is None:
        return {}
    return {
        "carrier": quote.carrier,
        "service": quote.service,
        "label": quote.label,
        "days": quote.days,
    }


def _with_jobs(
    order: Order, lines: tuple[DraftLine, ...], uploads: tuple[DraftUpload, ...], *, event: str
) -> Draft:
    """Add the order's jobs. StockWriter assigns the order's number and adds it to the context."""
    context = message_context(order, lines) | payment_context(order)
    return Draft(
        order=order,
        lines=lines,
        notifications=tuple(
            order_messages(
                event=event,
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
