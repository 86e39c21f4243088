"""Vacuum large tables early, and leave room in the pages of orders.

The defaults wait until a fifth of a table has changed: with a million orders a vacuum comes rarely
and then takes minutes. With room in each page a new order doesn't fill a gap in an old page, which
would then be written to the WAL as a whole; see docs/keys-and-wal.md.
"""

from django.db import migrations

PARAMETERS = {
    "orders_order": {
        "fillfactor": "90",
        "autovacuum_vacuum_scale_factor": "0.02",
        "autovacuum_vacuum_insert_scale_factor": "0.05",
        "autovacuum_analyze_scale_factor": "0.02",
    },
    "orders_orderline": {
        "autovacuum_vacuum_scale_factor": "0.02",
        "autovacuum_vacuum_insert_scale_factor": "0.05",
        "autovacuum_analyze_scale_factor": "0.02",
    },
    "orders_stockmovement": {
        "autovacuum_vacuum_insert_scale_factor": "0.05",
        "autovacuum_analyze_scale_factor": "0.02",
    },
    "orders_orderevent": {
        "autovacuum_vacuum_insert_scale_factor": "0.05",
        "autovacuum_analyze_scale_factor": "0.02",
    },
    "orders_salesentry": {
        "autovacuum_vacuum_scale_factor": "0.02",
        "autovacuum_vacuum_insert_scale_factor": "0.05",
        "autovacuum_analyze_scale_factor": "0.02",
    },
}


def set_parameters(table: str, values: dict[str, str]) -> migrations.RunSQL:
    """Set them for this table. It rewrites nothing and lets the shop read and write meanwhile."""
    return migrations.RunSQL(
        f"ALTER TABLE {table} SET ({', '.join(f'{name} = {value}' for name, value in values.items())})",
        f"ALTER TABLE {table} RESET ({', '.join(values)})",
    )


class Migration(migrations.Migration):
    dependencies = [("orders", "0025_leaner_indexes")]

    operations = [set_parameters(table, values) for table, values in PARAMETERS.items()]
