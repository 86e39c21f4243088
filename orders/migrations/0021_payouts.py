"""Counter-entries of payments, payments by providers, and refunds that are owed or paid out.

The checks are validated by the next migration, under a lock that lets orders be placed.
"""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0020_validate_address_checks'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='payment',
            name='payment_is_not_negative',
        ),
        migrations.AddField(
            model_name='payment',
            name='provider',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=20, verbose_name='provider'),
        ),
        migrations.AddField(
            model_name='payment',
            name='reason',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=200, verbose_name='reason'),
        ),
        migrations.AddField(
            model_name='payment',
            name='undoes',
            field=models.OneToOneField(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='undone_by', to='orders.payment', verbose_name='undoes'),
        ),
        migrations.AddField(
            model_name='refund',
            name='paid_out_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='paid out'),
        ),
        migrations.AddField(
            model_name='refund',
            name='paid_out_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='paid out by'),
        ),
        migrations.AddField(
            model_name='refund',
            name='payout_reference',
            field=models.CharField(blank=True, db_default='', default='', max_length=100, verbose_name='reference'),
        ),
        migrations.AddField(
            model_name='refund',
            name='status',
            field=models.CharField(choices=[('owed', 'Owed'), ('paid_out', 'Paid out'), ('not_owed', 'Not owed')], db_default='owed', default='owed', max_length=8, verbose_name='status'),
        ),
        migrations.AlterField(
            model_name='orderevent',
            name='kind',
            field=models.CharField(choices=[('placed', 'Placed'), ('media_ready', 'Ready to view'), ('part_paid', 'Paid in part'), ('paid', 'Paid'), ('overpaid', 'Paid without need'), ('payment_undone', 'Payment undone'), ('packed', 'Packed'), ('shipped', 'Shipped'), ('parcel_corrected', 'Parcel corrected'), ('delivered', 'Delivered'), ('cancelled', 'Cancelled'), ('part_refunded', 'Refunded in part'), ('refunded', 'Refunded'), ('paid_out', 'Refund paid out')], max_length=20, verbose_name='what'),
        ),
        migrations.AlterField(
            model_name='payment',
            name='method',
            field=models.CharField(choices=[('transfer', 'Bank transfer'), ('card', 'Card'), ('cash', 'Cash'), ('online', 'Online'), ('other', 'Other')], max_length=20, verbose_name='method'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.UniqueConstraint(condition=models.Q(('provider', ''), _negated=True), fields=('provider', 'reference'), name='payment_once_per_provider'),
        ),
        AddConstraintNotValid(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount__gte', 0), ('undoes', None)), models.Q(('amount__lt', 0), ('undoes__isnull', False)), _connector='OR'), name='payment_is_negative_if_it_undoes_one'),
        ),
        AddConstraintNotValid(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('paid_out_at__isnull', False), ('status', 'paid_out')), models.Q(('paid_out_at', None), ('status__in', ['owed', 'not_owed'])), _connector='OR'), name='refund_is_paid_out_at_a_time'),
        ),
    ]
