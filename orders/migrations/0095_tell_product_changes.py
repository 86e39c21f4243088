"""Webhooks hear of changed products from the database: many doors write products, all set-based.

One statement of each UPDATE, in its transaction. Without an endpoint for it, it looks once at a table
of a few rows.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0094_variant_indexes"), ("notifications", "0032_webhooks")]

    operations = [
        migrations.RunSQL(
            """
            CREATE FUNCTION orders_tell_product_change() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF EXISTS (SELECT FROM notifications_webhookendpoint
                           WHERE status <> 'off' AND 'product.changed' = ANY(events)) THEN
                    INSERT INTO notifications_webhookdelivery (id, endpoint_id, kind, context)
                    SELECT gen_random_uuid(), endpoint.id, 'product.changed', jsonb_build_object(
                        'type', 'product.changed',
                        'timestamp', statement_timestamp(),
                        'data', CASE
                            WHEN endpoint.is_thin THEN jsonb_build_object('sku', product.sku)
                            ELSE jsonb_build_object(
                                'sku', product.sku, 'name', product.name, 'slug', product.slug,
                                'price', product.price::text, 'is_active', product.is_active,
                                'changed', to_jsonb(product.changed))
                        END)
                    FROM (
                        SELECT now_row.*, ARRAY(
                            SELECT replace(new_value.key, '_id', '')
                            FROM jsonb_each(to_jsonb(now_row)) AS new_value
                            JOIN jsonb_each(to_jsonb(was_row)) AS old_value USING (key)
                            WHERE new_value.value IS DISTINCT FROM old_value.value
                            ORDER BY new_value.key) AS changed
                        FROM after_rows AS now_row JOIN before_rows AS was_row USING (id)
                    ) AS product
                    JOIN notifications_webhookendpoint AS endpoint
                      ON endpoint.status <> 'off' AND 'product.changed' = ANY(endpoint.events)
                     AND (endpoint.skus = '{}' OR product.sku = ANY(endpoint.skus))
                    WHERE product.changed <> '{}'
                    ORDER BY product.id, endpoint.id;
                END IF;
                RETURN NULL;
            END $$;
            CREATE TRIGGER orders_product_is_told
            AFTER UPDATE ON orders_product
            REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
            FOR EACH STATEMENT EXECUTE FUNCTION orders_tell_product_change();
            """,
            "DROP TRIGGER orders_product_is_told ON orders_product;"
            " DROP FUNCTION orders_tell_product_change();",
        ),
    ]
