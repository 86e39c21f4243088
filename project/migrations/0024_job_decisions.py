"""What operators decided about jobs, and why they paused a queue."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('project', '0023_saved_views'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='pausedqueue',
            name='reason',
            field=models.CharField(blank=True, db_default='', default='', max_length=200, verbose_name='reason'),
        ),
        migrations.CreateModel(
            name='JobDecision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('job_id', models.UUIDField(db_index=True, verbose_name='job')),
                ('order_id', models.UUIDField(null=True, verbose_name='order')),
                ('app', models.CharField(max_length=20, verbose_name='kind')),
                ('label', models.CharField(max_length=60, verbose_name='decision')),
                ('error', models.CharField(blank=True, db_default='', default='', max_length=500, verbose_name='error')),
                ('reason', models.CharField(blank=True, db_default='', default='', max_length=200, verbose_name='reason')),
                ('decided_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='when')),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
            ],
            options={
                'verbose_name': 'decision about a job',
                'verbose_name_plural': 'decisions about jobs',
                'ordering': ['pk'],
                'indexes': [models.Index(condition=models.Q(('order_id__isnull', False)), fields=['order_id'], name='job_decision_of_order')],
            },
        ),
    ]
