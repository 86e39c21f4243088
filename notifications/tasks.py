"""The Celery task that sends messages."""

from notifications.handler import NotificationHandler
from project.jobs.task import job_task

send = job_task(NotificationHandler())
"""Sends a message and returns the other side's answer."""
