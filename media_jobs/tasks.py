"""The Celery task that makes pictures and videos."""

from media_jobs.handler import MediaJobHandler
from project.jobs.task import job_task

process = job_task(MediaJobHandler())
"""Runs a media job and returns what it made."""
