"""A Celery application whose messages are jobs of no work (`-A` this module), for `bench jobs`.

Claim, end and Celery's log are the real ones; the handler's own fields and rows are left out.
"""

from typing import Any

from celery.signals import worker_init

from project.celery import app

__all__ = ["app"]


@worker_init.connect
def leave_out_the_work(**kwargs: Any) -> None:
    """Let the handler of messages do nothing, and write nothing of its own."""
    from notifications.handler import NotificationHandler
    from project.jobs.handler import JobHandler

    def perform(handler: Any, job: Any) -> dict[str, Any]:
        return {}

    changes = {"perform": perform}
    changes |= {name: getattr(JobHandler, name) for name in ("on_succeeded", "attempt_fields")}
    for name, function in changes.items():
        setattr(NotificationHandler, name, function)
