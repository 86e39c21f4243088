"""Admin pages of messages and their channels."""

from notifications.desk.channels import ChannelAdmin
from notifications.desk.messages import NotificationAdmin

__all__ = ["ChannelAdmin", "NotificationAdmin"]
