"""Vacuum messages early: each is updated three times, and each update leaves a dead index entry."""

from django.db import migrations

# It rewrites nothing, and lets the shop read and write meanwhile.
SET = """
ALTER TABLE notifications_notification SET (
    autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02
)
"""
RESET = """
ALTER TABLE notifications_notification RESET (
    autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold,
    autovacuum_vacuum_insert_scale_factor, autovacuum_analyze_scale_factor
)
"""


class Migration(migrations.Migration):
    dependencies = [("notifications", "0019_leaner_indexes")]

    operations = [migrations.RunSQL(SET, RESET)]
