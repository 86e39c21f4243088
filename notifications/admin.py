"""What of messages is at the operator's desk: themselves, and the channels they go by."""

from notifications.desk.channels import ChannelAdmin
from notifications.desk.messages import NotificationAdmin

__all__ = ["ChannelAdmin", "NotificationAdmin"]
