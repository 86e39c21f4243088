"""Changes to Celery's worker: acknowledgements, database connections, memory."""
