"""What a fill left: what the audit says, and what two fills of one seed have in common."""

from typing import Any

from notifications.models import Notification
from orders.models import OrderEvent, OrderLine
from project.monitoring.audit import run_audit


def violations() -> list[str]:
    return [str(finding) for finding in run_audit().findings if finding["violations"]]


def told() -> list[tuple[Any, ...]]:
    """Return what must be the same in two fills of the same seed."""
    lines = OrderLine.objects.order_by("order__number", "pk")
    events = OrderEvent.objects.order_by("order__number", "pk")
    messages = Notification.objects.order_by("order_id", "event", "channel", "occasion")
    return [
        *lines.values_list(
            "order_id", "sku", "quantity", "refunded", "order__name", "order__email"
        ),
        *events.values_list("order_id", "kind", "detail"),
        *messages.values_list("order_id", "recipient", "status", "error", "delivery"),
    ]
