"""Offers wait for the morning; everything else is sent at any hour."""

from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db.models.functions import Now
from django.utils import timezone

from notifications.delivery import attempt, quiet_hours
from notifications.delivery.parked import wake
from notifications.events import EVENTS
from notifications.models import Notification
from notifications.outbox import announcement_message
from project.conf.durations import hours_of_day
from project.jobs.dispatch import ring
from project.jobs.errors import JobError, NotNowError
from project.jobs.queryset import Status
from project.jobs.run import run_job

NIGHT = datetime(2026, 11, 24, 22, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def quiet_nights(settings: Any) -> None:
    settings.TIME_ZONE = "UTC"
    settings.MARKETING_QUIET_HOURS = (time(21), time(8))


def queue_offer() -> Notification:
    offer = announcement_message(
        announcement_id=1,
        reader_id=1,
        email="ada@example.org",
        name="Ada",
        language="en",
        subject="New teas",
        text="They are here.",
        preferences_url="http://localhost/account/",
        unsubscribe_url="http://localhost/unsubscribe/x/",
    )
    offer.save(force_insert=True)
    return offer


def run(message: Notification) -> Notification:
    """Make one attempt; its error is on the row."""
    with suppress(JobError):
        run_job(Notification, message.pk)
    message.refresh_from_db()
    return message


@pytest.fixture
def at_night(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quiet hours that began an hour ago and end in one."""
    now = timezone.now()
    monkeypatch.setattr(
        quiet_hours, "quiet_until", lambda _now: now.replace(microsecond=0) + timedelta(hours=1)
    )


# ── The hours ───────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("now", "until"),
    [
        (datetime(2026, 11, 24, 20, 59, 59, tzinfo=UTC), None),
        (datetime(2026, 11, 24, 21, 0, tzinfo=UTC), datetime(2026, 11, 25, 8, 0, tzinfo=UTC)),
        (datetime(2026, 11, 25, 7, 59, tzinfo=UTC), datetime(2026, 11, 25, 8, 0, tzinfo=UTC)),
        (datetime(2026, 11, 25, 8, 0, tzinfo=UTC), None),
    ],
)
def test_the_night_begins_on_one_day_and_ends_on_the_next(now, until) -> None:
    assert quiet_hours.quiet_until(now) == until


def test_hours_within_a_day_are_possible_too(settings) -> None:
    settings.MARKETING_QUIET_HOURS = (time(12), time(14))

    assert quiet_hours.quiet_until(NIGHT) is None
    assert quiet_hours.quiet_until(NIGHT.replace(hour=13)) == NIGHT.replace(hour=14, minute=0)


def test_they_are_hours_of_the_shops_clock(settings) -> None:
    settings.TIME_ZONE = "Asia/Shanghai"

    assert quiet_hours.quiet_until(datetime(2026, 11, 24, 12, 59, tzinfo=UTC)) is None
    assert quiet_hours.quiet_until(datetime(2026, 11, 24, 13, 0, tzinfo=UTC)) == datetime(
        2026, 11, 25, 0, 0, tzinfo=UTC
    )


def test_a_night_in_which_the_clocks_change_ends_at_eight_too(settings) -> None:
    settings.TIME_ZONE = "Europe/Berlin"  # from +2 to +1 in the night to 25 October 2026

    assert quiet_hours.quiet_until(datetime(2026, 10, 24, 20, 0, tzinfo=UTC)) == datetime(
        2026, 10, 25, 7, 0, tzinfo=UTC
    )


def test_without_the_setting_no_hour_is_quiet(settings) -> None:
    settings.MARKETING_QUIET_HOURS = None

    assert quiet_hours.quiet_until(NIGHT) is None


def test_only_offers_are_held_back() -> None:
    held = []
    for name, event in EVENTS.items():
        try:
            quiet_hours.keep(event, now=NIGHT)
        except NotNowError:
            held.append(name)

    assert held == ["announcement"]


# ── Messages ────────────────────────────────────────────────────────────────────────────────
@pytest.mark.django_db
def test_an_offer_waits_until_they_end_and_uses_up_no_attempt(at_night, mailbox) -> None:
    offer = run(queue_offer())

    assert (offer.status, offer.attempts) == (Status.QUEUED, 0)
    assert offer.error.startswith("quiet hours until")
    assert offer.run_after == offer.ring_after == quiet_hours.quiet_until(NIGHT)
    assert wake() == 0, "it wakes by itself"
    assert list(mailbox.messages()) == []


@pytest.mark.django_db
def test_it_is_sent_by_itself_when_they_are_over(at_night, mailbox, monkeypatch) -> None:
    offer = run(queue_offer())
    Notification.objects.update(run_after=Now(), ring_after=Now())
    monkeypatch.setattr(quiet_hours, "quiet_until", lambda now: None)

    assert ring(Notification) == [offer.pk]
    assert run(offer).status == Status.DONE


@pytest.mark.django_db
def test_an_order_is_confirmed_at_any_hour(at_night, queued, mailbox) -> None:
    assert run(queued("email")).status == Status.DONE


@pytest.mark.django_db
def test_control_without_the_rule_the_offer_is_sent_at_night(at_night, mailbox, monkeypatch):
    monkeypatch.setattr(attempt.quiet_hours, "keep", lambda event, *, now: None)

    assert run(queue_offer()).status == Status.DONE


# ── The setting ─────────────────────────────────────────────────────────────────────────────
def test_the_setting_is_two_times_of_day_or_nothing() -> None:
    assert hours_of_day("MARKETING_QUIET_HOURS", " 21:00-08:30 ") == (time(21), time(8, 30))
    assert hours_of_day("MARKETING_QUIET_HOURS", "") is None


@pytest.mark.parametrize("value", ["21-8", "24:00-08:00", "21:60-08:00", "08:00-08:00", "night"])
def test_anything_else_is_refused_by_name(value) -> None:
    with pytest.raises(ImproperlyConfigured, match="MARKETING_QUIET_HOURS"):
        hours_of_day("MARKETING_QUIET_HOURS", value)
