"""The sweeps of the project itself, which the relay calls."""

from project.limits.pruning import forget_ended_counters
from project.queues.samples import sample_queues
from project.schedule.sweeps import sweep

sweep(every=60)(forget_ended_counters)
sweep(every=20)(sample_queues)
