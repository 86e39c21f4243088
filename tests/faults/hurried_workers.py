"""A Celery application whose workers wait for webhooks' endpoints a second (`-A` this module).

Its pauses are a hundredth of the shop's, and a claim that died with its worker is over in seconds.
"""

from datetime import timedelta
from typing import Any

from celery.signals import worker_init

from project.celery import app

__all__ = ["app"]


def hurry() -> None:
    """Shorten this process' waits; what is waited for stays the same."""
    from notifications.models import WebhookDelivery, webhook_pauses
    from notifications.webhooks import sending
    from project.jobs.queryset import claim_statement

    sending.SECONDS = 1.0
    webhook_pauses.PAUSES = tuple(pause / 100 for pause in webhook_pauses.PAUSES)
    webhook_pauses.LONGEST_REST = timedelta(seconds=2)
    WebhookDelivery.lease = timedelta(seconds=5)
    claim_statement.cache_clear()


@worker_init.connect
def hurry_at_the_start(**kwargs: Any) -> None:
    hurry()
