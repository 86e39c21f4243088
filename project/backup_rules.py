"""What no backup has of the project's and others' tables, and how work goes on after a restore."""

from django.conf import settings
from django_celery_beat.models import PeriodicTask, PeriodicTasks

from project.backup.rules import leave_out_rows, on_restore
from project.models import Heartbeat, ManualRun, QueueSample

# ── Secrets: keys, sessions, links with codes, and what counts guesses ──────────────────────
leave_out_rows(
    "django_session",
    "usersessions_usersession",
    "mfa_authenticator",
    "account_emailconfirmation",
    "axes_accessattempt",
    "axes_accessattemptexpiration",
    "axes_accessfailurelog",
    "axes_accesslog",
    settings.CACHES["default"]["LOCATION"],
)
# ── What is true of one machine only ────────────────────────────────────────────────────────
leave_out_rows(Heartbeat._meta.db_table, QueueSample._meta.db_table)

_ENTRIES = PeriodicTask._meta.db_table
# ── Work ────────────────────────────────────────────────────────────────────────────────────
on_restore(
    # An operator asked for these in the old shop, and saw what came of them there.
    f"UPDATE {ManualRun._meta.db_table} SET status = 'cancelled', finished_at = now(),"
    " token = NULL, lease_until = NULL, error = 'restored from a backup: ask for it again'"
    " WHERE status IN ('queued', 'running')",
    # Beat would run at once whatever was due between the backup and now.
    f"UPDATE {_ENTRIES} SET last_run_at = now() WHERE enabled",
    f"UPDATE {_ENTRIES} AS entry SET enabled = false, last_run_at = NULL"
    " FROM django_celery_beat_clockedschedule AS clocked"
    " WHERE entry.clocked_id = clocked.id AND clocked.clocked_time <= now()",
    f"UPDATE {PeriodicTasks._meta.db_table} SET last_update = now()",
)
