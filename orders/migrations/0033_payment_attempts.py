"""Attempts to pay at a provider."""

import django.db.models.deletion
import django.db.models.functions.datetime
import project.database.keys
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0032_demo_fill'),
    ]

    operations = [
        migrations.CreateModel(
            name='PaymentAttempt',
            fields=[
                ('id', models.UUIDField(default=project.database.keys.time_ordered_key, editable=False, primary_key=True, serialize=False)),
                ('provider', models.CharField(max_length=20, verbose_name='provider')),
                ('reference', models.CharField(blank=True, db_default='', default='', max_length=255, verbose_name='reference')),
                ('url', models.TextField(blank=True, db_default='', default='', verbose_name='address')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='amount')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('status', models.CharField(choices=[('started', 'Started'), ('paid', 'Paid'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('to_check', 'To check')], db_default='started', default='started', max_length=9, verbose_name='status')),
                ('doubt', models.CharField(blank=True, choices=[('amount', 'Another amount or currency'), ('attempt', "Another attempt's payment"), ('known', 'A payment that is entered already, otherwise')], db_default='', default='', max_length=7, verbose_name='doubt')),
                ('reason', models.CharField(blank=True, db_default='', default='', max_length=300, verbose_name='reason')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='when')),
                ('returned_at', models.DateTimeField(blank=True, null=True, verbose_name='customer came back')),
                ('look_after', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='asked again after')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished')),
                ('order', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='payment_attempts', to='orders.order', verbose_name='order')),
            ],
            options={
                'verbose_name': 'payment attempt',
                'verbose_name_plural': 'payment attempts',
                'ordering': ['-created_at', '-pk'],
                'indexes': [models.Index(fields=['order', '-created_at'], name='payment_attempt_by_order'), models.Index(fields=['-created_at', '-id'], name='payment_attempt_latest'), models.Index(condition=models.Q(('status', 'started')), fields=['look_after'], name='payment_attempt_open'), models.Index(condition=models.Q(('status', 'to_check')), fields=['-created_at', '-id'], name='payment_attempt_to_check')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('reference', ''), _negated=True), fields=('provider', 'reference'), name='payment_attempt_once'), models.UniqueConstraint(condition=models.Q(('status', 'started')), fields=('order', 'provider', 'amount'), name='payment_attempt_open_once'), models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='payment_attempt_has_an_amount'), models.CheckConstraint(condition=models.Q(('status', 'to_check'), ('doubt', ''), _connector='XOR'), name='payment_attempt_to_check_has_a_doubt')],
            },
        ),
    ]
