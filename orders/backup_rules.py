"""What a backup has of accounts, which announcements a restored shop doesn't send again, and who is
erased from it again.
"""

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX

from orders.desk_jobs.kinds import ANNOUNCE
from orders.models import (
    AgentAnswer,
    AgentClient,
    AgentLink,
    Announcement,
    ApiKey,
    DeskJob,
    User,
)
from orders.personal_data.again import erase_again, keep_journal
from project.backup.rules import (
    after_restore,
    before_replacing,
    leave_out_rows,
    on_restore,
    replace_values,
)

before_replacing(keep_journal)
after_restore(erase_again)
# Customers sign in by a code, which is mailed; staff get a new password (docs/backup.md).
replace_values(User._meta.db_table, password=f"'{UNUSABLE_PASSWORD_PREFIX}not-in-backups'")
# Links with agents' platforms are made anew by their people, and so are clients' secrets.
replace_values(  # an empty one is that of a public client
    AgentClient._meta.db_table,
    secret_hash="CASE WHEN secret_hash = '' THEN '' ELSE 'not-in-backups' END",  # noqa: S106
)
leave_out_rows(AgentLink._meta.db_table, AgentAnswer._meta.db_table)

# A key that was revoked after the backup must not work again: a restored shop makes new ones.
leave_out_rows(ApiKey._meta.db_table)

_ANNOUNCEMENTS = Announcement._meta.db_table
_ENDED = "token = NULL, lease_until = NULL, finished_at = now()"
on_restore(
    # Its time has come in the old shop: sent again, it would reach customers twice.
    f"UPDATE {_ANNOUNCEMENTS} SET status = 'draft', send_at = NULL"
    " WHERE status = 'scheduled' AND send_at <= now()",
    # The old shop went on with these; who has got one isn't known here.
    "UPDATE notifications_notification AS message SET status = 'cancelled',"
    f" {_ENDED}, error = 'restored from a backup: the announcement was stopped'"
    f" FROM {_ANNOUNCEMENTS} AS announcement WHERE announcement.status = 'sending'"
    " AND message.event = 'announcement' AND message.occasion = announcement.id::text"
    " AND message.status = 'queued'",
    f"UPDATE {DeskJob._meta.db_table} SET status = 'cancelled', {_ENDED},"
    " error = 'restored from a backup: the announcement was stopped'"
    f" WHERE kind = '{ANNOUNCE.name}' AND status IN ('queued', 'running')",
    f"UPDATE {_ANNOUNCEMENTS} SET status = 'stopped', finished_at = now() WHERE status = 'sending'",
)
