"""Pausing a queue: the relay dispatches none of its jobs until an operator resumes it.

Jobs that are published already, or running, are finished. A paused queue is no outage: the health
pages have it as a note.
"""

from project.jobs.model import job_models
from project.models import PausedQueue
from project.names import QUEUES


def queues() -> list[str]:
    """Return the names of all queues, in the order in which the desk shows them."""
    known = list(QUEUES)
    return sorted({model.queue for model in job_models()}, key=known.index)


def paused_queues() -> set[str]:
    """Return the names of the paused queues."""
    return set(PausedQueue.objects.values_list("queue", flat=True))


def pause(queue: str, *, by: str, reason: str) -> bool:
    """Pause the queue; False if it is paused already. `by` is the operator's name."""
    _row, is_new = PausedQueue.objects.get_or_create(
        queue=queue, defaults={"paused_by": by, "reason": reason}
    )
    return is_new


def resume(queue: str) -> bool:
    """Resume the queue; False if it isn't paused. The relay dispatches its jobs at once."""
    deleted, _by_model = PausedQueue.objects.filter(queue=queue).delete()
    return bool(deleted)
