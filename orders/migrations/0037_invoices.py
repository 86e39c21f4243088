"""Invoices, credit notes, and the counters of their numbers: empty tables."""

import django.core.serializers.json
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0036_product_shelf'),
    ]

    operations = [
        migrations.CreateModel(
            name='InvoiceCounter',
            fields=[
                ('kind', models.CharField(choices=[('invoice', 'Invoice'), ('credit_note', 'Credit note')], max_length=11, primary_key=True, serialize=False, verbose_name='kind')),
                ('last', models.BigIntegerField(verbose_name='last number')),
            ],
            options={
                'verbose_name': 'invoice counter',
                'verbose_name_plural': 'invoice counters',
            },
        ),
        migrations.CreateModel(
            name='Invoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('invoice', 'Invoice'), ('credit_note', 'Credit note')], max_length=11, verbose_name='kind')),
                ('number', models.BigIntegerField(verbose_name='number')),
                ('issued_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='issued')),
                ('data', models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder, verbose_name='content')),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invoices', to='orders.order', verbose_name='order')),
                ('refund', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='credit_note', to='orders.refund', verbose_name='refund')),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
            ],
            options={
                'verbose_name': 'invoice',
                'verbose_name_plural': 'invoices',
                'ordering': ['pk'],
                'constraints': [models.UniqueConstraint(fields=('kind', 'number'), name='invoice_number_once'), models.UniqueConstraint(condition=models.Q(('kind', 'invoice')), fields=('order',), name='one_invoice_per_order'), models.UniqueConstraint(condition=models.Q(('kind', 'credit_note'), ('refund', None)), fields=('order',), name='one_credit_note_without_refund'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'invoice'), ('refund', None)), ('kind', 'credit_note'), _connector='OR'), name='invoice_has_no_refund'), models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='invoice_numbers_begin_at_one')],
            },
        ),
    ]
