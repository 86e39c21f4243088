"""A product's pictures become its media: videos too, and replacements that wait to be made."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("media_jobs", "0002_content_addresses"),
        ("orders", "0001_initial"),
    ]

    operations = [
        migrations.RenameModel(old_name="ProductImage", new_name="ProductMedia"),
        migrations.AlterModelOptions(
            name="productmedia",
            options={
                "ordering": ["position", "pk"],
                "verbose_name": "picture or video",
                "verbose_name_plural": "pictures and videos",
            },
        ),
        migrations.AlterField(
            model_name="productmedia",
            name="product",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="media",
                to="orders.product",
                verbose_name="product",
            ),
        ),
        migrations.AlterField(
            model_name="productmedia",
            name="asset",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="product_media",
                to="media_jobs.asset",
                verbose_name="asset",
            ),
        ),
        migrations.AddField(
            model_name="productmedia",
            name="replacement",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="replacing_media",
                to="media_jobs.asset",
                verbose_name="replacement",
            ),
        ),
    ]
