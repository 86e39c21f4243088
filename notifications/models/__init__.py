"""Messages, the state of the channels' gateways, and webhooks."""

from notifications.models.channel import ChannelState, KnownNumber
from notifications.models.notification import (
    FINAL,
    OFFERS,
    SYNTHETIC,
    MessageHtml,
    Notification,
    NotificationQuerySet,
)
from notifications.models.webhook import MADE_BY_SHOP, WebhookDelivery, WebhookEndpoint

__all__ = [
    "FINAL",
    "MADE_BY_SHOP",
    "OFFERS",
    "SYNTHETIC",
    "ChannelState",
    "KnownNumber",
    "MessageHtml",
    "Notification",
    "NotificationQuerySet",
    "WebhookDelivery",
    "WebhookEndpoint",
]
