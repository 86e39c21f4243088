"""The task as a worker runs it, by several threads at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from celery.exceptions import Ignore
from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from notifications.channels import http_sms
from notifications.models import Notification
from notifications.tasks import send
from project.celery import app
from project.jobs import queryset
from project.jobs.errors import PermanentError
from project.jobs.queryset import Status, claim_statement

pytestmark = pytest.mark.django_db(transaction=True)


def deliver_five_times(notification: Notification) -> list[str]:
    """Five workers get the same message at the same moment; return how each ended."""
    together = Barrier(5)

    def work(_number: int) -> str:
        together.wait(timeout=10)
        try:
            send(str(notification.pk))
        except Ignore:
            return "ignored"
        finally:
            connection.close()
        return "sent"

    with ThreadPoolExecutor(5) as pool:
        return list(pool.map(work, range(5)))


def test_a_message_delivered_five_times_at_once_has_one_effect(queued, mailbox):
    notification = queued("email")

    outcomes = deliver_five_times(notification)

    assert sorted(outcomes) == ["ignored"] * 4 + ["sent"]
    assert len(list(mailbox.messages())) == 1


@pytest.fixture
def no_guard(monkeypatch) -> Iterator[None]:
    """Claims don't look whether a job is ready; their statement is compiled once, so anew here."""
    monkeypatch.setattr(queryset, "_is_ready", lambda: Q(pk__isnull=False))
    claim_statement.cache_clear()
    yield
    claim_statement.cache_clear()


def test_control_without_the_guard_of_the_claim_it_has_several(queued, mailbox, no_guard):
    notification = queued("email")

    for _ in range(5):
        send(str(notification.pk))

    assert len(list(mailbox.messages())) == 5


def test_a_message_that_is_done_is_ignored(queued, mailbox):
    notification = queued("email")
    send(str(notification.pk))

    with pytest.raises(Ignore):
        send(str(notification.pk))
    assert len(list(mailbox.messages())) == 1


def test_a_worker_that_is_later_than_its_lease_is_ignored(queued, gateway, monkeypatch):
    notification = queued("sms")
    gateway.answers = [201]
    rival = Notification.objects.filter(pk=notification.pk)

    def slow(message, **options):
        rival.update(lease_until=Now() - timedelta(seconds=1))
        assert Notification.objects.claim(notification.pk)
        return original(message, **options)

    original = http_sms.send
    monkeypatch.setattr(http_sms, "send", slow)

    with pytest.raises(Ignore):
        send(str(notification.pk))
    assert rival.get().status == Status.RUNNING


def test_a_failure_is_raised_for_celerys_own_log(queued, gateway):
    gateway.answers = [422]
    notification = queued("sms")

    with pytest.raises(PermanentError, match="422"):
        send(str(notification.pk))


def test_the_task_is_the_one_that_the_relay_rings():
    assert app.tasks[Notification.task].run == send.run
