"""The HTML of old messages: it is most of a message's bytes, and can be rendered again.

A message's text stays, and so does what its templates need (`context`). The desk shows the HTML
rendered again, and a message that is sent once more gets it at its next attempt.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now

from notifications.events import EVENTS
from notifications.models import FINAL, Notification
from notifications.rendering import render

logger = logging.getLogger(__name__)


def old_html() -> QuerySet[Notification]:
    """Return the messages whose HTML may go: sent or cancelled so many days ago."""
    kept_for = timedelta(days=settings.KEEP_MESSAGE_HTML_DAYS)
    rows = Notification.objects.filter(status__in=FINAL, finished_at__lt=Now() - kept_for)
    return rows.exclude(html="")


def clear_html(message_ids: Sequence[UUID]) -> int:
    """Clear the HTML of these messages; return how many."""
    return Notification.objects.filter(pk__in=message_ids, status__in=FINAL).update(html="")


def lacks_html(message: Notification) -> bool:
    """Tell whether the message had HTML that was cleared, and that can be rendered again."""
    is_email = message.channel == Notification.Channel.EMAIL
    return is_email and bool(message.text) and not message.html and message.event in EVENTS


def html_again(message: Notification) -> str:
    """Return the HTML of such a message by the templates of today; empty for any other.

    Also empty if these want what the context of an earlier version lacks: there is its text.
    """
    if not lacks_html(message):
        return ""
    try:
        return render(message).html
    except Exception:  # whatever a template may raise
        logger.warning("%s can't be rendered again", message.pk, exc_info=True)
        return ""
