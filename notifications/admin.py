"""Admin pages of messages and their channels, of webhook endpoints and their deliveries."""

from notifications.desk.channels import ChannelAdmin
from notifications.desk.messages import NotificationAdmin
from notifications.desk.webhook_deliveries import WebhookDeliveryAdmin
from notifications.desk.webhook_endpoints import WebhookEndpointAdmin

__all__ = ["ChannelAdmin", "NotificationAdmin", "WebhookDeliveryAdmin", "WebhookEndpointAdmin"]
