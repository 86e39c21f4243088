"""The timeline may say that a payment was checked. The column itself stays as it is."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0046_movements_with_reason'),
    ]

    operations = [
        migrations.AlterField(
            model_name='orderevent',
            name='kind',
            field=models.CharField(choices=[('placed', 'Placed'), ('media_ready', 'Ready to view'), ('part_paid', 'Paid in part'), ('paid', 'Paid'), ('overpaid', 'Paid without need'), ('payment_undone', 'Payment undone'), ('payment_checked', 'Payment checked'), ('packed', 'Packed'), ('shipped', 'Shipped'), ('parcel_corrected', 'Parcel corrected'), ('delivered', 'Delivered'), ('cancelled', 'Cancelled'), ('part_refunded', 'Refunded in part'), ('refunded', 'Refunded'), ('paid_out', 'Refund paid out'), ('corrected', 'Contact corrected'), ('sent_again', 'Messages sent again')], max_length=20, verbose_name='what'),
        ),
    ]
