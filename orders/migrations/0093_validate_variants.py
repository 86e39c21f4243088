from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0092_variants")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE orders_product VALIDATE CONSTRAINT product_parent_exists",
            migrations.RunSQL.noop,
        ),
        ValidateConstraint("product", "variant_has_options"),
        ValidateConstraint("product", "variant_of_another_product"),
    ]
