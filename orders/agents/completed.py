"""A completed checkout, as its order says: the session's last answer, which is kept."""

from decimal import Decimal
from typing import Any

from django.db.models.functions import Now
from django.utils.translation import gettext as _

from orders.agents.envelope import links, minor, site, total, without_nothing
from orders.agents.fulfillment import GROUP, METHOD, SHOP, postal
from orders.models import AgentCheckout, Order, OrderLine, Voucher
from orders.taxes.splitting import order_taxes


def close(checkout: AgentCheckout, order: Order) -> None:
    """Write down that the session is this order. What it says then doesn't change any more."""
    checkout.answer = checkout.answer or completed_answer(checkout, order)
    checkout.stage, checkout.order_id = AgentCheckout.Stage.COMPLETED, order.pk
    checkout.save(update_fields=["stage", "order_id", "answer", "wanted", "escalated"])
    AgentCheckout.objects.filter(pk=checkout.pk).update(changed_at=Now())


def completed_answer(checkout: AgentCheckout, order: Order) -> dict[str, Any]:
    """Return the answer without its `ucp` member, which depends on who asks."""
    lines = list(order.lines.all())
    of_items = is_of_items(order)
    return {
        "id": str(checkout.pk),
        "status": "completed",
        "line_items": [
            {
                "id": line.sku,
                "item": {"id": line.sku, "title": line.name, "price": minor(line.unit_price)},
                "quantity": line.quantity,
                "totals": line_totals(line, of_items=of_items),
            }
            for line in lines
        ],
        "currency": order.currency,
        "totals": order_totals(order, lines, of_items=of_items),
        "links": links(),
        "payment": {"instruments": checkout.wanted.get("instruments", [])},
        "fulfillment": _fulfillment(order, [line.sku for line in lines]),
        "discounts": _discounts(order, lines, of_items=of_items),
        "order": {
            "id": str(order.pk),
            "label": order.display_number,
            "permalink_url": site(order.get_absolute_url()),
        },
        **without_nothing({"buyer": checkout.wanted.get("buyer")}),
    }


def line_totals(line: OrderLine, *, of_items: bool) -> list[dict[str, Any]]:
    off = line.discount if of_items else Decimal(0)
    return [
        total("subtotal", line.total),
        *([total("items_discount", -off)] if off else []),
        total("total", line.total - off),
    ]


def order_totals(order: Order, lines: list[OrderLine], *, of_items: bool) -> list[dict[str, Any]]:
    """Return an order's totals; they add up. Prices include the tax, which the last one tells."""
    parts = [{"display_text": line.name, "amount": minor(line.total)} for line in lines]
    shown = [total("subtotal", order.items_total, _("Items"), lines=parts)]
    if order.discount_total:
        kind = "items_discount" if of_items else "discount"
        shown.append(total(kind, -order.discount_total, _("Voucher")))
    if order.delivery:
        shown.append(total("fulfillment", order.delivery_total, order.delivery["label"]))
    taxes = order_taxes(order, lines)
    split = [{"display_text": _("Net"), "amount": sum(minor(each.net) for each in taxes)}]
    split += [
        {"display_text": _("VAT %(rate)s%%") % {"rate": each.percent}, "amount": minor(each.tax)}
        for each in taxes
    ]
    last = {"lines": split} if taxes else {}
    return [*shown, total("total", order.total, _("Total"), **last)]


def is_of_items(order: Order) -> bool:
    """Tell whether the order's voucher is for some products only: they get cheaper, not the order.

    What it takes off is kept with the lines either way.
    """
    vouchers = Voucher.objects.filter(code=order.voucher_code, category__isnull=False)
    return bool(order.voucher_code) and vouchers.exists()


def _discounts(order: Order, lines: list[OrderLine], *, of_items: bool) -> dict[str, Any]:
    if not order.voucher_code:
        return {"codes": [], "applied": []}
    applied: dict[str, Any] = {
        "code": order.voucher_code,
        "title": _("Voucher %(code)s") % {"code": order.voucher_code},
        "amount": minor(order.discount_total),
    }
    if of_items:
        applied["method"] = "across"
        applied["allocations"] = [
            {"path": f"$.line_items[{place}]", "amount": minor(line.discount)}
            for place, line in enumerate(lines)
            if line.discount
        ]
    return {"codes": [order.voucher_code], "applied": [applied]}


def _fulfillment(order: Order, ids: list[str]) -> dict[str, Any]:
    quote = order.delivery
    option = f"{quote['carrier']}.{quote['service']}" if quote else ""
    place = {"id": "destination", **postal(order.address)} if order.address else {"id": SHOP}
    return {
        "methods": [
            {
                "id": METHOD,
                "type": "shipping" if order.address else "pickup",
                "line_item_ids": ids,
                "destinations": [place] if order.address else [],
                "selected_destination_id": place["id"] if order.address else None,
                "groups": [
                    {
                        "id": GROUP,
                        "line_item_ids": ids,
                        "options": [
                            {
                                "id": option,
                                "title": quote["label"],
                                "totals": [total("total", order.delivery_total)],
                            }
                        ]
                        if quote
                        else [],
                        "selected_option_id": option or None,
                    }
                ],
            }
        ]
    }
