"""The sweeps of messages, which the relay calls."""

from notifications.delivery.parked import wake
from project.schedule.sweeps import sweep

sweep(every=1)(wake)
