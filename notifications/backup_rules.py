"""What a backup has of messages, and which of them a restored shop doesn't send again."""

from notifications.events import EVENTS
from notifications.models import MADE_BY_SHOP, Notification
from project.backup.rules import on_restore, quoted, replace_values

_TABLE = Notification._meta.db_table
_WITH_SECRETS = quoted(sorted(name for name, event in EVENTS.items() if event.secrets))
_ENDED = "token = NULL, lease_until = NULL, finished_at = now()"

replace_values(_TABLE, secrets="NULL::jsonb")
replace_values(
    "notifications_webhookendpoint",
    **dict.fromkeys(("secret", "old_secret"), "''::text"),
    **dict.fromkeys(("old_secret_until",), "NULL::timestamptz"),
)
on_restore(
    # The code isn't in the backup, and the session that waited for it neither.
    f"UPDATE {_TABLE} SET status = 'cancelled', {_ENDED},"
    " error = 'restored from a backup, which has no codes'"
    f" WHERE status IN ('queued', 'running') AND event IN ({_WITH_SECRETS})",
    # A gateway is noted before it gets the message: the old shop was sending it, and has probably
    # ended that since.
    f"UPDATE {_TABLE} SET status = 'unknown', {_ENDED}, maybe_duplicate = true,"
    " error = 'restored from a backup that was made while it was sent: it has probably arrived'"
    " WHERE status = 'running' AND gateway <> ''",
    # It has no secret to sign with, and the old shop may still send. Those of other protocols sign
    # by SECRET_KEY, and nobody could resume them. A backup of an earlier version has no such table.
    "DO $$ BEGIN IF to_regclass('notifications_webhookendpoint') IS NOT NULL THEN"
    " UPDATE notifications_webhookendpoint SET status = 'paused', status_reason ="
    " 'restored from a backup, which has no secrets: make a new one, then resume'"
    f" WHERE status = 'active' AND kind = '{MADE_BY_SHOP}'; END IF; END $$",
    # It waited. The old shop may have sent it after the backup: its copy has the same id.
    f"UPDATE {_TABLE} SET maybe_duplicate = true WHERE status IN ('queued', 'running')",
)
