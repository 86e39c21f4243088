"""The HTML of messages: it is most of a message's bytes, and can be rendered again.

It is stored when the message is written, so that each attempt sends the same; some days after the
message is done it is deleted. The text stays, and so does what the templates need (`context`).
Then the desk shows the HTML rendered again, and a message that is sent once more gets it at its
next attempt.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now

from notifications.events import EVENTS
from notifications.models import FINAL, MessageHtml, Notification
from notifications.rendering import render

logger = logging.getLogger(__name__)


def old_html() -> QuerySet[MessageHtml]:
    """Return the HTML that may go: of messages that were sent or cancelled so many days ago."""
    kept_for = timedelta(days=settings.KEEP_MESSAGE_HTML_DAYS)
    return MessageHtml.objects.filter(
        message__status__in=FINAL, message__finished_at__lt=Now() - kept_for
    )


def store_html(message: Notification, html: str) -> None:
    """Store the HTML of a message, or replace it; a message without HTML has no row."""
    if html:
        MessageHtml.objects.bulk_create(
            [MessageHtml(message=message, html=html)],
            update_conflicts=True,
            unique_fields=["message"],
            update_fields=["html"],
        )


def stored_html(message: Notification) -> str:
    """Return the HTML as the message's first attempt wrote it; empty if there is none."""
    stored = MessageHtml.objects.filter(message=message).values_list("html", flat=True)
    return stored.first() or ""


def html_again(message: Notification) -> str:
    """Return the HTML of a written e-mail by the templates of today; empty for any other message.

    Also empty if these want what the context of an earlier version lacks: there is its text.
    """
    is_email = message.channel == Notification.Channel.EMAIL
    if not (is_email and message.text and message.event in EVENTS):
        return ""
    try:
        return render(message).html
    except Exception:  # whatever a template may raise
        logger.warning("%s can't be rendered again", message.pk, exc_info=True)
        return ""
