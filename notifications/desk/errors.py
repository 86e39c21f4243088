"""The errors of messages that failed or wait, by the part that messages share (`same_error`)."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from notifications.models import Notification
from project.jobs.queryset import Status

SAMPLE = 200
"""The latest messages with errors, whose most frequent errors are offered."""
MOST_ERRORS = 1000
"""Different errors that a search looks at."""

# Each different error by one probe of `notification_error_list`, however many messages have it.
_DIFFERENT = """
WITH RECURSIVE found AS (
    (SELECT same_error FROM notifications_notification
     WHERE status IN ('failed', 'unknown', 'queued') AND error <> ''
     ORDER BY same_error LIMIT 1)
    UNION ALL
    SELECT (SELECT same_error FROM notifications_notification
            WHERE status IN ('failed', 'unknown', 'queued') AND error <> ''
              AND same_error > found.same_error
            ORDER BY same_error LIMIT 1)
    FROM found WHERE found.same_error IS NOT NULL
)
SELECT same_error FROM found WHERE same_error IS NOT NULL LIMIT %s
"""


def has_error(errors: Iterable[str]) -> Q:
    """Return the condition for the messages that failed, or wait, for one of these errors."""
    # That of the partial index: the long history of sent messages isn't read.
    unfinished = Q(status__in=[Status.FAILED, Status.UNKNOWN, Status.QUEUED])
    return unfinished & ~Q(error="") & Q(same_error__in=list(errors))


def errors_with(text: str) -> list[str]:
    """Return the different errors that have each word of the text."""
    words = text.lower().split()
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERENT, [MOST_ERRORS])
        return [
            error for (error,) in cursor.fetchall() if all(word in error.lower() for word in words)
        ]


def frequent_errors(offered: int) -> list[tuple[str, int]]:
    """Return the most frequent errors of the latest messages that failed, with their numbers."""
    messages: QuerySet[Any] = Notification.objects.filter(
        status__in=(Status.FAILED, Status.UNKNOWN)
    )
    # Those without an error are passed over here: to find none PostgreSQL reads all that failed.
    latest = messages.order_by("-finished_at").values_list("same_error", flat=True)[:SAMPLE]
    found = Counter(error for error in latest if error)
    return sorted(found.items(), key=lambda each: (-each[1], each[0]))[:offered]
