from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0066_taxes")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE orders_product VALIDATE CONSTRAINT product_tax_class_exists",
            migrations.RunSQL.noop,
        )
    ]
