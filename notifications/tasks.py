"""The Celery task that sends messages, and what else of messages is pruned."""

from notifications.delivery.known_numbers import forgettable
from notifications.delivery.stored_html import old_html
from notifications.handler import NotificationHandler
from project.jobs.task import job_task
from project.schedule.prune import Old, prune_also

send = job_task(NotificationHandler())
"""Sends a message and returns the other side's answer."""

prune_also("known numbers", lambda: Old(forgettable()))
prune_also("HTML of messages", lambda: Old(old_html()))
