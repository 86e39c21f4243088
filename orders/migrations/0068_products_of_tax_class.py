from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("orders", "0067_validate_taxes")]

    operations = [
        AddIndexConcurrently(
            "product",
            models.Index(
                fields=["tax_class"],
                name="product_of_tax_class",
                condition=models.Q(tax_class__isnull=False),
            ),
        )
    ]
