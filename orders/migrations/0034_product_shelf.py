"""Where a product lies in the store."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0033_payment_attempts'),
    ]

    operations = [
        migrations.AddField(
            model_name='product',
            name='shelf',
            field=models.CharField(blank=True, db_default='', default='', max_length=40, verbose_name='shelf'),
        ),
    ]
