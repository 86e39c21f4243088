"""Webhooks: endpoints of other systems, and a delivery for each event and endpoint."""

import datetime
import django.contrib.postgres.fields
import django.core.serializers.json
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.lookups
import project.database.keys
import project.tracing.spans
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0031_traceparent'),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE notifications_delivery_position AS bigint",
            "DROP SEQUENCE notifications_delivery_position",
        ),
        migrations.CreateModel(
            name='WebhookEndpoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, verbose_name='name')),
                ('url', models.URLField(max_length=500, verbose_name='web address')),
                ('kind', models.CharField(db_default='shop', default='shop', editable=False, max_length=20, verbose_name='kind')),
                ('events', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), size=None, verbose_name='events')),
                ('is_thin', models.BooleanField(db_default=False, default=False, help_text='Only ids and an address to read the rest from: no personal data.', verbose_name='thin payloads')),
                ('signature', models.CharField(choices=[('standard', 'Standard Webhooks (HMAC-SHA256)'), ('rfc9421', 'HTTP Message Signatures (RFC 9421)')], db_default='standard', default='standard', max_length=10, verbose_name='signature')),
                ('minimum', models.DecimalField(blank=True, decimal_places=2, help_text="The order's total, with tax. Empty: all.", max_digits=10, null=True, validators=[django.core.validators.MinValueValidator(0)], verbose_name='orders of at least')),
                ('countries', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2), blank=True, db_default=[], default=list, help_text="Codes of the orders' countries, such as DE, AT. Empty: all.", size=None, verbose_name='countries')),
                ('skus', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, db_default=[], default=list, help_text='Orders with one of these products, and these products. Empty: all.', size=None, verbose_name='SKUs')),
                ('secret', models.TextField(editable=False)),
                ('old_secret', models.TextField(blank=True, db_default='', default='', editable=False)),
                ('old_secret_until', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='earlier secret until')),
                ('status', models.CharField(choices=[('active', 'Active'), ('paused', 'Paused'), ('off', 'Switched off')], db_default='active', default='active', editable=False, max_length=10, verbose_name='state')),
                ('status_reason', models.CharField(blank=True, db_default='', default='', editable=False, max_length=200, verbose_name='reason')),
                ('failures', models.PositiveIntegerField(db_default=0, default=0, editable=False, verbose_name='failures in a row')),
                ('failing_since', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='silent since')),
                ('resting_until', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='next try')),
                ('error', models.CharField(blank=True, db_default='', default='', editable=False, max_length=500, verbose_name='last error')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='created')),
            ],
            options={
                'verbose_name': 'webhook endpoint',
                'verbose_name_plural': 'webhook endpoints',
                'ordering': ['name', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('failing_since', None), ('failures', 0), ('resting_until', None)), models.Q(('failing_since__isnull', False), ('failures__gt', 0)), _connector='OR'), name='webhook_endpoint_fails_since_some_time'), models.CheckConstraint(condition=models.Q(models.Q(('old_secret', ''), ('old_secret_until', None)), models.Q(models.Q(('old_secret', ''), _negated=True), ('old_secret_until__isnull', False)), _connector='OR'), name='webhook_endpoint_old_secret_has_an_end')],
            },
        ),
        migrations.CreateModel(
            name='WebhookDelivery',
            fields=[
                ('id', models.UUIDField(default=project.database.keys.time_ordered_key, editable=False, primary_key=True, serialize=False)),
                ('order_id', models.UUIDField(blank=True, editable=False, null=True, verbose_name='order')),
                ('kind', models.CharField(max_length=60, verbose_name='kind')),
                ('context', models.JSONField(blank=True, default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder, verbose_name='context')),
                ('traceparent', models.CharField(blank=True, db_default='', default=project.tracing.spans.traceparent, editable=False, max_length=55, verbose_name='trace')),
                ('status', models.CharField(choices=[('queued', 'Queued'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed'), ('unknown', 'Unknown'), ('cancelled', 'Cancelled')], db_default='queued', default='queued', max_length=10, verbose_name='status')),
                ('attempts', models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name='attempts')),
                ('lost', models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name='workers lost')),
                ('rings', models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name='rings')),
                ('run_after', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='run after')),
                ('lease_until', models.DateTimeField(blank=True, null=True, verbose_name='lease until')),
                ('token', models.UUIDField(blank=True, editable=False, null=True, verbose_name='token')),
                ('progress', models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name='progress')),
                ('error', models.TextField(blank=True, db_default='', default='', verbose_name='error')),
                ('result', models.JSONField(blank=True, null=True, verbose_name='result')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='created')),
                ('started_at', models.DateTimeField(blank=True, null=True, verbose_name='started')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished')),
                ('position', models.BigIntegerField(db_default=models.Func(models.Value('notifications_delivery_position'), function='nextval', output_field=models.BigIntegerField()), editable=False, verbose_name='position')),
                ('ring_after', models.DateTimeField(db_default=models.Value(datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)), verbose_name='ring after')),
                ('body', models.TextField(blank=True, db_default='', default='', verbose_name='body')),
                ('answer_status', models.PositiveSmallIntegerField(null=True, verbose_name='status of the answer')),
                ('tried_at', models.DateTimeField(editable=False, null=True, verbose_name='first tried')),
                ('overtook', models.UUIDField(editable=False, null=True, verbose_name='overtook')),
                ('attempts_log', models.JSONField(blank=True, db_default=[], default=list, encoder=django.core.serializers.json.DjangoJSONEncoder, verbose_name='attempts')),
                ('endpoint', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='notifications.webhookendpoint', verbose_name='endpoint')),
            ],
            options={
                'verbose_name': 'webhook delivery',
                'verbose_name_plural': 'webhook deliveries',
                'ordering': ['-created_at'],
                'abstract': False,
                'indexes': [models.Index(django.db.models.lookups.IsNull(models.F('order_id'), True), models.F('ring_after'), condition=models.Q(('status__in', ['queued', 'running'])), include=('order_id',), name='webhookdelivery_going_on'), models.Index(condition=models.Q(('lost__gt', 0), ('status__in', ['queued', 'running'])), fields=['ring_after'], name='webhookdelivery_lost_one'), models.Index(condition=models.Q(('status', 'running')), fields=['lease_until'], name='webhookdelivery_leased'), models.Index(condition=models.Q(('status', 'queued')), fields=['run_after'], name='webhookdelivery_due'), models.Index(condition=models.Q(('status__in', ['done', 'cancelled'])), fields=['finished_at'], name='webhookdelivery_prunable'), models.Index(fields=['created_at', 'id'], name='webhookdelivery_newest'), models.Index(condition=models.Q(('status', 'done'), _negated=True), fields=['status', '-created_at', '-id'], name='webhookdelivery_not_done'), models.Index(condition=models.Q(('status__in', ['failed', 'unknown'])), fields=['finished_at'], include=('order_id',), name='webhookdelivery_trouble'), models.Index(fields=['order_id'], name='webhookdelivery_order'), models.Index(fields=['endpoint', '-created_at', '-id'], name='webhookdelivery_of_endpoint'), models.Index(condition=models.Q(('ring_after', datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)), ('status', 'queued')), fields=['endpoint', 'position'], name='webhookdelivery_waiting'), models.Index(condition=models.Q(('status__in', ['queued', 'running'])), fields=['endpoint', 'order_id', 'position'], name='webhookdelivery_lane'), models.Index(condition=models.Q(('status__in', ['queued', 'running']), models.Q(('ring_after', datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)), _negated=True)), fields=['endpoint'], name='webhookdelivery_going')],
                'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['queued', 'running', 'done', 'failed', 'unknown', 'cancelled'])), name='webhookdelivery_status_is_known'), models.CheckConstraint(condition=models.Q(('progress__lte', 100)), name='webhookdelivery_progress_is_percent'), models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('status', 'running'), ('token__isnull', False)), models.Q(models.Q(('status', 'running'), _negated=True), ('lease_until__isnull', True), ('token__isnull', True)), _connector='OR'), name='webhookdelivery_is_leased_while_running')],
            },
        ),
    ]
