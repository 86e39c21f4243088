"""Refunds from before this update count as paid out: nobody was asked to enter their pay-outs."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0021_payouts")]

    operations = [
        migrations.RunSQL(
            "UPDATE orders_refund SET status = 'paid_out', paid_out_at = created_at"
            " WHERE status = 'owed'",
            migrations.RunSQL.noop,
        ),
    ]
