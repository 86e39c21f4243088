"""The base of all apps: settings, group commit, jobs, relay, local run. It imports no app."""

from project.celery import app as celery_app

__all__ = ["celery_app"]
