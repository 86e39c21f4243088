"""The HTML of old messages goes, and comes back where it is needed."""

from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from notifications.delivery.old_html import clear_html, html_again, old_html
from notifications.models import Notification
from notifications.rendering import render
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
    young.refresh_from_db()
    assert old.html == ""
    assert (old.text, old.subject, old.context) == words
    assert young.html


def test_a_message_that_may_be_sent_again_keeps_it(queued) -> None:
    message = queued()
    long_ago = Now() - timedelta(days=80)
    wording = render(message)
    for status in (Status.FAILED, Status.UNKNOWN):
        Notification.objects.filter(pk=message.pk).update(
            status=status, finished_at=long_ago, text=wording.text, html=wording.html
        )
        assert not old_html().exists()
        assert clear_html([message.pk]) == 0


def test_it_is_rendered_again_as_it_was(queued, mailbox) -> None:
    message = sent(queued(), days=8)
    before = message.html
    clear_html([message.pk])
    message.refresh_from_db()

    assert html_again(message) == before != ""


def test_what_never_had_html_gets_none(queued, mailbox) -> None:
    assert html_again(queued()) == ""  # not rendered yet
    assert html_again(sent(queued("sms"), days=8)) == ""
    unknown = sent(queued(), days=8)
    unknown.event, unknown.html = "an_event_of_an_earlier_version", ""
    assert html_again(unknown) == ""


def test_a_context_that_lacks_what_todays_templates_want_leaves_the_text(queued, mailbox) -> None:
    message = sent(queued(), days=8)
    message.html, message.context = "", {"number": "T1001"}

    assert html_again(message) == ""


def test_a_copy_of_an_old_message_has_html(queued, mailbox) -> None:
    original = sent(queued(), days=8)
    before = original.html
    clear_html([original.pk])
    original.refresh_from_db()

    copy, _is_new = resend(original, to="ada@example.org")
    run_job(Notification, copy.pk)

    copy.refresh_from_db()
    [kept] = [each for each in mailbox.messages() if each.recipients == ["ada@example.org"]]
    assert copy.html == before
    assert copy.text == original.text
    assert kept.html


def test_the_search_reads_an_index_of_messages_with_html_only(queued) -> None:
    rows = old_html().order_by("finished_at").values_list("pk")[:1000]
    sql, parameters = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {sql}", parameters)
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "notification_html" in plan
    assert "Sort" not in plan
