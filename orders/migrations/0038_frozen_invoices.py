"""An issued invoice never changes: the database refuses it, whatever the code does."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0037_invoices")]

    operations = [
        migrations.RunSQL(
            """
            CREATE FUNCTION orders_refuse_invoice_change() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'an issued invoice never changes' USING ERRCODE = 'check_violation';
            END $$;
            -- Not its user: a deleted account leaves the invoices that it issued.
            CREATE TRIGGER orders_invoice_is_frozen
            BEFORE UPDATE OF order_id, kind, number, refund_id, issued_at, data ON orders_invoice
            FOR EACH ROW EXECUTE FUNCTION orders_refuse_invoice_change();
            """,
            "DROP TRIGGER orders_invoice_is_frozen ON orders_invoice;"
            " DROP FUNCTION orders_refuse_invoice_change();",
        ),
    ]
