"""The house: settings, group commit, jobs, relay, embedded servers. Imports no app."""

from project.celery import app as celery_app

__all__ = ["celery_app"]
