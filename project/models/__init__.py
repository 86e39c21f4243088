"""State of the processes and of the desk: what is neither an order nor a message."""

from project.models.audit import AuditProgress, AuditRun, AuditScope
from project.models.decision import JobDecision
from project.models.deferral import DeferralCount
from project.models.heartbeat import FORGET_AFTER, Heartbeat, process_name
from project.models.limit import Limit, LimitCounter, RefusalCount
from project.models.performance import PerformanceRun, PerformanceState
from project.models.queue import PausedQueue, QueueSample
from project.models.run import DailyRun, ManualRun
from project.models.saved_view import SavedView
from project.models.sweep import OVERLAP, Sweep

__all__ = [
    "FORGET_AFTER",
    "OVERLAP",
    "AuditProgress",
    "AuditRun",
    "AuditScope",
    "DailyRun",
    "DeferralCount",
    "Heartbeat",
    "JobDecision",
    "Limit",
    "LimitCounter",
    "ManualRun",
    "PausedQueue",
    "PerformanceRun",
    "PerformanceState",
    "QueueSample",
    "RefusalCount",
    "SavedView",
    "Sweep",
    "process_name",
]
