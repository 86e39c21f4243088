"""The HTML of old messages goes, and comes back where it is needed."""

from datetime import timedelta
from importlib import import_module
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models.functions import Now

from notifications.delivery.stored_html import html_again, old_html, store_html, stored_html
from notifications.models import MessageHtml, Notification
from notifications.resending import resend
from project.jobs.queryset import Status
from project.jobs.run import run_job
from project.schedule.prune import prune


def sent(message: Notification, *, days: float) -> Notification:
    """Send the message, as if so many days ago."""
    run_job(Notification, message.pk)
    Notification.objects.filter(pk=message.pk).update(finished_at=Now() - timedelta(days=days))
    message.refresh_from_db()
    assert message.status == Status.DONE
    return message


def test_the_html_of_old_messages_goes_and_their_text_stays(queued, mailbox, settings: Any) -> None:
    settings.KEEP_MESSAGE_HTML_DAYS = 7
    old, young = sent(queued(), days=7.1), sent(queued(), days=6.9)
    words = old.text, old.subject, old.context

    assert prune()["HTML of messages"] == 1
    assert prune()["HTML of messages"] == 0

    old.refresh_from_db()
    assert stored_html(old) == ""
    assert (old.text, old.subject, old.context) == words
    assert stored_html(young)


def test_a_message_that_may_be_sent_again_keeps_it(queued) -> None:
    message = queued()
    store_html(message, "<p>Hello</p>")
    for status in (Status.FAILED, Status.UNKNOWN):
        Notification.objects.filter(pk=message.pk).update(
            status=status, finished_at=Now() - timedelta(days=80), text="Hello"
        )
        assert not old_html().exists()


def test_it_goes_with_its_message_however_that_is_deleted(queued, mailbox) -> None:
    message = sent(queued(), days=1)
    assert MessageHtml.objects.exists()

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM notifications_notification WHERE id = %s", [message.pk])

    assert not MessageHtml.objects.exists()


def test_each_attempt_sends_what_the_first_one_wrote(queued, mailbox) -> None:
    message = queued()
    Notification.objects.filter(pk=message.pk).update(text="Hello", subject="As it was")
    store_html(message, "<p>As it was</p>")

    run_job(Notification, message.pk)

    [kept] = mailbox.messages()
    assert "<p>As it was</p>" in kept.html


def test_it_is_rendered_again_as_it_was(queued, mailbox) -> None:
    message = sent(queued(), days=8)

    assert html_again(message) == stored_html(message) != ""


def test_what_never_had_html_gets_none(queued, mailbox) -> None:
    assert html_again(queued()) == ""  # not rendered yet
    sms = sent(queued("sms"), days=8)
    assert (stored_html(sms), html_again(sms)) == ("", "")
    unknown = sent(queued(), days=8)
    unknown.event = "an_event_of_an_earlier_version"
    assert html_again(unknown) == ""


def test_a_context_that_lacks_what_todays_templates_want_leaves_the_text(queued, mailbox) -> None:
    message = sent(queued(), days=8)
    message.context = {"number": "T1001"}

    assert html_again(message) == ""


def test_a_copy_of_an_old_message_has_html(queued, mailbox) -> None:
    original = sent(queued(), days=8)
    before = stored_html(original)
    prune()
    assert stored_html(original) == ""

    copy, _is_new = resend(original, to="ada@example.org")
    run_job(Notification, copy.pk)

    copy.refresh_from_db()
    [kept] = [each for each in mailbox.messages() if each.recipients == ["ada@example.org"]]
    assert stored_html(copy) == before
    assert copy.text == original.text
    assert kept.html


def test_the_update_moves_it_from_the_messages(queued) -> None:
    messages = [queued(), queued()]
    Notification.objects.filter(pk=messages[0].pk).update(status=Status.DONE)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE notifications_notification SET html = '<p>' || status || '</p>'")

        import_module("notifications.migrations.0028_move_html").move(
            apps, connection.schema_editor()
        )

        cursor.execute("SELECT count(*) FROM notifications_notification WHERE html <> ''")
        assert cursor.fetchone() == (0,)
    assert [stored_html(message) for message in messages] == ["<p>done</p>", "<p>queued</p>"]
