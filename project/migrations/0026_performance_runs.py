"""The performance runs and their figures."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('project', '0025_ascending_indexes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PerformanceRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('running', 'running'), ('done', 'done'), ('stopped', 'stopped'), ('gave_way', 'gave way to shoppers'), ('refused', 'refused'), ('failed', 'failed'), ('interrupted', 'interrupted')], default='running', max_length=11, verbose_name='state')),
                ('reason', models.CharField(blank=True, default='', max_length=500, verbose_name='reason')),
                ('traffic', models.PositiveIntegerField(default=0, verbose_name='orders of shoppers in a minute')),
                ('rate', models.PositiveSmallIntegerField(verbose_name='orders per second')),
                ('seconds', models.PositiveSmallIntegerField(verbose_name='seconds')),
                ('started_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='started')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished')),
                ('stop_asked_at', models.DateTimeField(blank=True, null=True, verbose_name='asked to stop')),
                ('sent', models.PositiveIntegerField(default=0, verbose_name='orders sent')),
                ('placed', models.PositiveIntegerField(default=0, verbose_name='orders placed')),
                ('errors', models.JSONField(blank=True, default=dict, verbose_name='errors')),
                ('rate_reached', models.FloatField(blank=True, null=True, verbose_name='rate reached')),
                ('p50', models.FloatField(blank=True, null=True, verbose_name='p50')),
                ('p95', models.FloatField(blank=True, null=True, verbose_name='p95')),
                ('p99', models.FloatField(blank=True, null=True, verbose_name='p99')),
                ('jobs', models.PositiveIntegerField(default=0, verbose_name='jobs done')),
                ('jobs_unfinished', models.PositiveIntegerField(default=0, verbose_name='jobs not done')),
                ('job_p50', models.FloatField(blank=True, null=True, verbose_name='job p50')),
                ('job_p95', models.FloatField(blank=True, null=True, verbose_name='job p95')),
                ('job_p99', models.FloatField(blank=True, null=True, verbose_name='job p99')),
                ('usual_p99', models.FloatField(blank=True, null=True, verbose_name='usual p99')),
                ('is_slower', models.BooleanField(default=False, verbose_name='slower than usual')),
                ('stopped_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='stopped by')),
            ],
            options={
                'verbose_name': 'performance run',
                'verbose_name_plural': 'performance runs',
                'ordering': ['-pk'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'running')), fields=('state',), name='one_performance_run_at_a_time'), models.CheckConstraint(condition=models.Q(('state__in', ['running', 'done', 'stopped', 'gave_way', 'refused', 'failed', 'interrupted'])), name='performance_state_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at', None), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('finished_at__isnull', False)), _connector='OR'), name='performance_run_has_its_end')],
            },
        ),
    ]
