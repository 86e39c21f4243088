"""The words for the search's spelling, and the units sold as lists are sorted by them."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0053_search_functions")]

    operations = [
        migrations.CreateModel(
            name="Popularity",
            fields=[
                ("product", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="popularity", serialize=False, to="orders.product", verbose_name="product")),
                ("units", models.BigIntegerField(db_default=0, default=0, verbose_name="units sold")),
            ],
            options={
                "verbose_name": "popularity",
                "verbose_name_plural": "popularity",
                "indexes": [models.Index(fields=["units", "product"], name="popularity_units")],
            },
        ),
        migrations.CreateModel(
            name="SearchWord",
            fields=[
                ("word", models.CharField(max_length=30, primary_key=True, serialize=False, verbose_name="word")),
                ("products", models.PositiveIntegerField(verbose_name="products")),
                ("near", django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), editable=False, size=None)),
            ],
            options={
                "verbose_name": "word of the search",
                "verbose_name_plural": "words of the search",
                "indexes": [django.contrib.postgres.indexes.GinIndex(fastupdate=False, fields=["near"], name="search_word_near")],
            },
        ),
    ]
