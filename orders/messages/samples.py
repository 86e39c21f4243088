"""Contexts for previews of messages: a real order's data, and samples for missing data.

The context has the keys that the event's own code stores. Data that the order doesn't have yet,
such as its parcel, is a sample.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications.events import CODE_VALID_FOR, EVENTS, Audience
from notifications.models import SYNTHETIC, WebhookEndpoint
from notifications.webhooks.wellbeing import SWITCHED_OFF, switched_off_context
from orders.lifecycle.payouts import owed_context
from orders.lifecycle.returns import STAFF_EVENT, requested_context, send_to
from orders.messages import back_in_stock
from orders.messages.low_stock import low_stock_context
from orders.models import Announcement, Order, OrderEvent, PaymentAttempt, Product, Refund, Return
from orders.payments.attempts import to_check_context
from orders.performance.judgement import EVENT as SLOWER
from orders.performance.judgement import slower_context
from orders.placing.message_context import message_context
from orders.placing.payment_choice import payment_context
from orders.reports.figures import read_figures, report_context
from project.models import PerformanceRun

Kind = OrderEvent.Kind

TELLS: dict[str, tuple[OrderEvent.Kind, ...]] = {
    "order_media_ready": (Kind.MEDIA_READY,),
    "order_paid": (Kind.PAID,),
    "order_shipped": (Kind.SHIPPED, Kind.PARCEL_CORRECTED),
    "order_delivered": (Kind.DELIVERED,),
    "order_cancelled": (Kind.CANCELLED,),
    "order_refunded": (Kind.PART_REFUNDED, Kind.REFUNDED),
    "order_return_requested": (Kind.RETURN_REQUESTED,),
    "order_return_accepted": (Kind.RETURN_ACCEPTED,),
    "order_return_refused": (Kind.RETURN_REFUSED,),
    "order_return_withdrawn": (Kind.RETURN_WITHDRAWN,),
    "order_return_received": (Kind.RETURN_RECEIVED,),
}
"""The kinds of timeline entries by message."""
_SLOW_RUN = {"rate": 5, "seconds": 60, "p99": 84.0, "usual_p99": 60.0}
CLIENT_ADDRESS = "203.0.113.7"  # an address for documentation (RFC 5737)


def sample_context(event: str, *, order: Order, language: str) -> dict[str, Any]:
    """Return the context of the event's templates, in this language.

    Raises KeyError if the event isn't in the table.
    """
    row = EVENTS[event]
    if event == "announcement":
        return _announcement(order, language)
    if event == "low_stock":
        lowest = Product.objects.filter(is_active=True).order_by("stock__available")
        return _shop_context(low_stock_context(list(lowest.values_list("pk", flat=True)[:3])))
    if event == "daily_report":
        yesterday = timezone.localdate() - timedelta(days=1)
        return _shop_context(report_context(read_figures(yesterday)))
    if event == SLOWER:
        return _shop_context(slower_context(PerformanceRun(pk=1, **_SLOW_RUN)))
    if event == "refund_owed":
        refund = order.refunds.last() or Refund(order=order, amount=order.total)
        return _shop_context(owed_context(refund, order))
    if event == STAFF_EVENT:
        made = order.returns.last() or Return(order=order)
        units = {line: line.quantity for line in order.lines.all()}
        return _shop_context(requested_context(made, order, units))
    if event == "payment_to_check":
        attempt = order.payment_attempts.filter(status=PaymentAttempt.Status.TO_CHECK).last()
        return _shop_context(to_check_context(attempt or _doubtful(order)))
    if event == SWITCHED_OFF:
        gone = WebhookEndpoint(name=_("Warehouse"), url="https://warehouse.example/hooks")
        return _shop_context(switched_off_context(gone, reason="410 Gone"))
    if event.startswith(back_in_stock.EVENT):
        return _shop_context(back_in_stock.sample_context(event, Product.objects.first()))
    if row.audience is Audience.SHOPPER and event.startswith("order_") and event != "order_link":
        return _order_context(event, order, language)
    return _shop_context(
        {
            "minutes": CODE_VALID_FOR // timedelta(minutes=1),
            "change": "password",
            "client_address": CLIENT_ADDRESS,
            "number": order.display_number,
            # A message with a code has no button.
            "url": "" if row.secrets else settings.SITE_URL + order.get_absolute_url(),
        }
    )


def _doubtful(order: Order) -> PaymentAttempt:
    return PaymentAttempt(
        order=order,
        provider="test-bank",
        amount=order.total,
        currency=order.currency,
        doubt=PaymentAttempt.Doubt.AMOUNT,
        reason=f"1.00 {order.currency}",
    )


def _shop_context(context: dict[str, Any]) -> dict[str, Any]:
    return {"shop_name": settings.SHOP_NAME, **context}


def _order_context(event: str, order: Order, language: str) -> dict[str, Any]:
    lines = list(order.lines.all())
    told = order.events.filter(kind__in=TELLS.get(event, ())).order_by("pk").last()
    samples = {
        "carrier": "DHL",
        "tracking_number": "JD014600003SAMPLE",
        "reason": _("A sample: your order isn't touched."),
        "amount": str(order.items_total),
        "send_to": send_to(),
        "items": [{"name": line.name, "quantity": line.quantity} for line in lines],
    }
    return {
        "number": order.display_number,
        **message_context(order, lines),
        "placed_at": order.placed_at.isoformat(),
        **(payment_context(order) if event in ("order_placed", SYNTHETIC) else {}),
        **(told.detail if told else samples),
        "language": language,
    }


def _announcement(order: Order, language: str) -> dict[str, Any]:
    latest = Announcement.objects.first()
    subject, text = (
        latest.words(language)
        if latest
        else (_("An announcement"), _("Its text.\n\nWith a link: https://example.org/"))
    )
    return _shop_context(
        {
            "name": order.name,
            "subject": subject,
            "text": text,
            "unsubscribe_url": settings.SITE_URL + reverse("unsubscribe", args=["sample"]),
            "preferences_url": settings.SITE_URL + reverse("account-settings"),
        }
    )
