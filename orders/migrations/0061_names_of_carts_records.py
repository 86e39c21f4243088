"""The records of emptied carts and the drafts of checkouts have names for people."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0060_search_statistics")]

    operations = [
        migrations.AlterModelOptions(
            name="clearedcart",
            options={
                "verbose_name": "record of an emptied cart",
                "verbose_name_plural": "records of emptied carts",
            },
        ),
        migrations.AlterModelOptions(
            name="checkoutdraft",
            options={
                "verbose_name": "draft of a checkout",
                "verbose_name_plural": "drafts of checkouts",
            },
        ),
    ]
