"""The Celery tasks that send messages and deliver webhooks."""

from notifications.handler import NotificationHandler
from notifications.webhooks.handler import WebhookHandler
from project.jobs.task import job_task

send = job_task(NotificationHandler())
"""Sends a message and returns the other side's answer."""
deliver = job_task(WebhookHandler())
"""Delivers an event to an endpoint and returns its answer."""
