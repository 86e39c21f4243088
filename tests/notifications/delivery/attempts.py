"""One attempt at a message, whatever comes of it."""

from notifications.models import Notification
from project.jobs.run import run_job


def run(message: Notification) -> Notification:
    """Make one attempt; its error is on the row."""
    try:
        run_job(Notification, message.pk)
    except Exception:
        pass
    message.refresh_from_db()
    return message
