from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0040_stock_kinds")]

    operations = [
        ValidateConstraint(model_name="stockmovement", name="movement_fits_its_kind"),
        ValidateConstraint(model_name="stockmovement", name="correction_has_a_reason"),
    ]
