"""What a Celery worker does otherwise than Celery would."""
