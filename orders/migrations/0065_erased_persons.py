"""Erased persons: the mark on an order, the keyed hashes, and the one change of an invoice.

An issued invoice still never changes, but for this: its buyer is replaced by "[erased]", and the
reason that a person wrote into a credit note goes. Amounts, tax, numbers and dates can't change.
"""

import django.db.models.functions.datetime
from django.db import migrations, models

REFUSE_ALL = """
CREATE OR REPLACE FUNCTION orders_refuse_invoice_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an issued invoice never changes' USING ERRCODE = 'check_violation';
END $$;
"""
REFUSE_ALL_BUT_ERASURE = """
CREATE OR REPLACE FUNCTION orders_refuse_invoice_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.order_id, NEW.kind, NEW.number, NEW.issued_at)
         = (OLD.order_id, OLD.kind, OLD.number, OLD.issued_at)
       AND NEW.refund_id IS NOT DISTINCT FROM OLD.refund_id
       AND NEW.data -> 'buyer' = '["[erased]"]'
       AND coalesce(NEW.data ->> 'reason', '') = ''
       AND NEW.data - 'buyer' - 'reason' = OLD.data - 'buyer' - 'reason' THEN
        RETURN NEW;  -- its person is erased
    END IF;
    RAISE EXCEPTION 'an issued invoice never changes' USING ERRCODE = 'check_violation';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0064_count_words_anew")]

    operations = [
        migrations.CreateModel(
            name="ErasedAddress",
            fields=[
                (
                    "digest",
                    models.CharField(
                        editable=False,
                        max_length=64,
                        primary_key=True,
                        serialize=False,
                        verbose_name="keyed hash",
                    ),
                ),
                (
                    "erased_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="erased",
                    ),
                ),
            ],
            options={
                "verbose_name": "erased address",
                "verbose_name_plural": "erased addresses",
                "default_permissions": (),
            },
        ),
        migrations.AlterModelOptions(
            name="user",
            options={
                "permissions": [
                    ("export_person", "Can export a person's data"),
                    ("erase_person", "Can erase a person"),
                ],
                "verbose_name": "user",
                "verbose_name_plural": "users",
            },
        ),
        migrations.RunSQL(REFUSE_ALL_BUT_ERASURE, REFUSE_ALL),
        migrations.AddField(
            model_name="order",
            name="erased_at",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="person erased"
            ),
        ),
    ]
