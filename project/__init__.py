"""The base of all apps: settings, group commit, jobs, relay, local run. It imports no app.

Celery's application is in `project.celery`, which `project.apps` loads: `manage.py up` needs none.
"""
