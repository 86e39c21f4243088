"""Mark the orders of deleted accounts from now on. Earlier ones can't be told from guest orders."""

from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

import orders.models.order
import orders.models.user


class Migration(migrations.Migration):
    dependencies = [("orders", "0013_job_indexes")]

    operations = [
        migrations.AlterModelManagers(
            name="user", managers=[("objects", orders.models.user.UserManager())]
        ),
        migrations.AddField(
            model_name="order",
            name="account_deleted",
            field=models.BooleanField(
                db_default=False, default=False, editable=False, verbose_name="account deleted"
            ),
        ),
        migrations.AlterField(
            model_name="order",
            name="user",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=orders.models.order.keep_order,
                related_name="orders",
                to=settings.AUTH_USER_MODEL,
                verbose_name="user",
            ),
        ),
        # More digits are a change of the catalogue only: PostgreSQL rewrites no row.
        migrations.AlterField(
            model_name="productsales",
            name="amount",
            field=models.DecimalField(
                decimal_places=2, default=0, max_digits=20, verbose_name="amount"
            ),
        ),
        # The next migration validates it, under a lock that lets orders be placed.
        AddConstraintNotValid(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(("account_deleted", False), ("user", None), _connector="OR"),
                name="order_of_a_deleted_account_has_no_user",
            ),
        ),
    ]
