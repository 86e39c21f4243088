"""The sweeps of the project itself, which the relay calls."""

from project.limits.pruning import forget_ended_counters
from project.schedule.sweeps import sweep

sweep(every=60)(forget_ended_counters)
