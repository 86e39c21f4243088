"""What the relay calls for messages."""

from notifications.delivery.parked import wake
from project.schedule.sweeps import sweep

sweep(every=1)(wake)
