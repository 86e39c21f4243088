"""SMS to a number that anybody may have typed wait until it is known (SMS_FIRST_NEEDS_EMAIL)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from notifications.delivery.known_numbers import REASON, forgettable, know
from notifications.models import KnownNumber, Notification
from project.jobs.queryset import Status
from tests.notifications.delivery.attempts import run

PHONE = "+4915112345678"
Queued = Callable[..., Notification]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("mailbox")]


@pytest.fixture
def needed(settings: Any) -> None:
    settings.SMS_FIRST_NEEDS_EMAIL = True


def test_it_is_off_unless_it_is_set(queued: Queued) -> None:
    assert run(queued("sms")).status == Status.DONE


@pytest.mark.usefixtures("needed")
def test_an_unknown_number_waits_and_the_e_mail_does_not(queued: Queued) -> None:
    waiting = run(queued("sms"))

    assert (waiting.status, waiting.error, waiting.attempts) == (Status.QUEUED, REASON, 0)
    assert waiting.run_after > timezone.now() + timedelta(minutes=59)
    assert run(queued("email")).status == Status.DONE


@pytest.mark.usefixtures("needed")
def test_a_number_that_becomes_known_gets_its_message_at_once(queued: Queued) -> None:
    waiting, other = run(queued("sms")), run(queued("sms"))

    know(PHONE, order_id=waiting.order_id)

    assert run(waiting).status == Status.DONE
    other.refresh_from_db()
    assert other.run_after > timezone.now()  # its hour is not over
    assert run(queued("sms")).status == Status.DONE


@pytest.mark.usefixtures("needed")
def test_after_a_day_it_is_cancelled_with_its_reason(queued: Queued) -> None:
    old = queued("sms")
    Notification.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(hours=25))

    cancelled = run(old)

    assert cancelled.status == Status.CANCELLED
    assert cancelled.error == f"{REASON} within a day"


def test_a_number_that_nobody_showed_for_long_is_forgotten() -> None:
    know(PHONE)
    know("+4915187654321")
    KnownNumber.objects.filter(phone=PHONE).update(known_at=timezone.now() - timedelta(days=401))

    assert [number.phone for number in forgettable()] == [PHONE]
