"""The desk's lists of audits, runs by hand, task results and failed logins."""

from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its rows

    dependencies = [
        ('axes', '0010_accessattemptexpiration'),
        ('django_celery_results', '0014_alter_taskresult_status'),
        ('project', '0019_search_words'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='auditrun',
            index=models.Index(fields=['-started_at', '-id'], name='audit_run_newest'),
        ),
        AddIndexConcurrently(
            model_name='auditrun',
            index=models.Index(condition=models.Q(('is_clean', False)), fields=['-started_at', '-id'], name='audit_run_drift'),
        ),
        AddIndexConcurrently(
            model_name='manualrun',
            index=models.Index(fields=['-created_at', '-id'], name='manualrun_newest'),
        ),
        AddIndexConcurrently(
            model_name='manualrun',
            index=models.Index(condition=models.Q(('status', 'done'), _negated=True), fields=['status', '-created_at', '-id'], name='manualrun_not_done'),
        ),
        # The tables of other packages. A job's result is written once, when it has ended; the results
        # of messages and pictures, and those that are well, are found by the index of `date_done`.
        migrations.RunSQL(
            'CREATE INDEX CONCURRENTLY IF NOT EXISTS taskresult_not_well'
            ' ON django_celery_results_taskresult (status, date_done DESC, id DESC)'
            " WHERE status <> 'SUCCESS'",
            'DROP INDEX CONCURRENTLY IF EXISTS taskresult_not_well',
        ),
        migrations.RunSQL(
            'CREATE INDEX CONCURRENTLY IF NOT EXISTS taskresult_of_rare_task'
            ' ON django_celery_results_taskresult (task_name, date_done DESC, id DESC)'
            " WHERE task_name <> 'notifications.tasks.send' AND task_name <> 'media_jobs.tasks.process'",
            'DROP INDEX CONCURRENTLY IF EXISTS taskresult_of_rare_task',
        ),
        migrations.RunSQL(
            'CREATE INDEX CONCURRENTLY IF NOT EXISTS accessattempt_newest'
            ' ON axes_accessattempt (attempt_time DESC, id DESC)',
            'DROP INDEX CONCURRENTLY IF EXISTS accessattempt_newest',
        ),
    ]
