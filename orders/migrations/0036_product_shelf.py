"""Where a product lies in the store."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("orders", "0035_order_page_indexes"),
    ]

    operations = [
        migrations.AddField(
            model_name='product',
            name='shelf',
            field=models.CharField(blank=True, db_default='', default='', max_length=40, verbose_name='shelf'),
        ),
    ]
