"""No more SMS a day than the shop pays for, in all and by country."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.utils import timezone

from notifications.delivery.daily_cap import country_of, next_day
from notifications.models import Notification
from notifications.outbox import account_message
from project.jobs.queryset import Status
from project.limits.rates import Rate
from project.models import Limit, LimitCounter
from tests.notifications.delivery.attempts import run
from tests.notifications.gateway import Gateway

Queued = Callable[..., Notification]


@pytest.fixture
def capped(settings: Any) -> None:
    settings.SMS_DAILY_CAP = {"all": Rate(100, 86_400), "DE": Rate(2, 86_400)}


def used(name: str) -> int:
    return LimitCounter.objects.get(name=name).used


@pytest.mark.usefixtures("capped", "mailbox")
def test_the_message_beyond_the_cap_waits_for_the_next_morning(queued: Queued) -> None:
    assert [run(queued("sms")).status for _ in range(2)] == [Status.DONE, Status.DONE]

    waiting = run(queued("sms"))

    assert waiting.status == Status.QUEUED
    assert "today's cap of SMS is reached (DE)" in waiting.error
    assert waiting.run_after == next_day(timezone.now(), time(8))
    assert (waiting.attempts, used("sms:DE"), used("sms:all")) == (0, 2, 2)


@pytest.mark.usefixtures("capped", "mailbox")
def test_the_next_day_counts_anew(queued: Queued) -> None:
    for _number in range(2):
        run(queued("sms"))
    waiting = run(queued("sms"))
    yesterday = timezone.now() - timedelta(seconds=1)
    LimitCounter.objects.update(ends_at=yesterday)
    Notification.objects.filter(pk=waiting.pk).update(run_after=yesterday)

    assert run(waiting).status == Status.DONE
    assert used("sms:DE") == 1


@pytest.mark.usefixtures("capped", "mailbox")
def test_e_mails_and_other_countries_go_on(queued: Queued) -> None:
    for _number in range(2):
        run(queued("sms"))
    other = queued("sms")
    Notification.objects.filter(pk=other.pk).update(recipient="+43650123456")

    assert run(other).status == Status.DONE
    assert run(queued("email")).status == Status.DONE


@pytest.mark.usefixtures("capped", "mailbox")
def test_a_code_beyond_the_cap_is_cancelled_with_its_reason(queued: Queued) -> None:
    for _number in range(2):
        run(queued("sms"))
    code = account_message(
        event="phone_confirmation",
        recipient="+4915112345678",
        language="en",
        context={"code": "123456"},
    )
    code.save(force_insert=True)

    cancelled = run(code)

    assert cancelled.status == Status.CANCELLED
    assert "expired tomorrow" in cancelled.error
    assert cancelled.secrets is None


@pytest.mark.usefixtures("capped")
def test_what_no_gateway_took_is_not_counted(queued: Queued, gateway: Gateway) -> None:
    gateway.answers = [503, 400]

    assert run(queued("sms")).status == Status.QUEUED
    assert run(queued("sms")).status == Status.FAILED

    assert used("sms:all") == 0


@pytest.mark.usefixtures("capped")
def test_what_a_gateway_may_have_taken_stays_counted(queued: Queued, gateway: Gateway) -> None:
    gateway.answers = [Gateway.DISCONNECT]

    run(queued("sms"))

    assert used("sms:all") == 1


@pytest.mark.usefixtures("capped", "mailbox")
def test_an_operator_changes_the_cap_at_once(queued: Queued) -> None:
    Limit.objects.create(name="sms:DE", allowed=3, seconds=86_400)

    assert [run(queued("sms")).status for _ in range(4)] == [*[Status.DONE] * 3, Status.QUEUED]


def test_the_day_is_the_shops(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Shanghai"
    late = datetime(2026, 3, 1, 17, 30, tzinfo=UTC)  # 01:30 of the 2nd there

    assert next_day(late, time(0)) == datetime(2026, 3, 2, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("phone", "country"),
    [
        ("+4915112345678", "DE"),
        ("+8613812345678", "CN"),
        ("+12025550123", "US"),
        ("+16135550123", "CA"),
        ("+88213300655", "001"),
        ("nonsense", "?"),
    ],
)
def test_a_numbers_country(phone: str, country: str) -> None:
    assert country_of(phone) == country
