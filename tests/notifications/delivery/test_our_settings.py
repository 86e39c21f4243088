"""Settings of ours that are wrong hold messages up, and fail none for good."""

import pytest
from django.db.models.functions import Now

from notifications.delivery.gateways import gateways
from notifications.delivery.parked import report_channels, wake
from notifications.models import Notification
from project.jobs.queryset import Status
from tests.notifications.delivery.attempts import run

pytestmark = pytest.mark.django_db

BROKEN = "https://gateway.example:port/sms"
NO_TEMPLATES = "aliyun+http://key:secret@127.0.0.1:9/?sign=Tandem"


@pytest.mark.filterwarnings("ignore:'(imghdr|cgi)' is deprecated")  # apprise's imports
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "SMS_URL has no gateway"),
        (BROKEN, "no readable host"),
        ("apprise+carrierpigeon://loft/{to}", "doesn't understand"),
        (NO_TEMPLATES, "SMS_TEMPLATES has no template"),
        (f"{BROKEN} {NO_TEMPLATES}", "no readable host"),
    ],
)
def test_the_message_waits_with_the_reason_and_goes_once_they_are_right(
    queued, gateway, settings, url, words
) -> None:
    right = settings.SMS_URL
    message = queued("sms")
    settings.SMS_URL = url

    waiting = run(message)

    assert (waiting.status, waiting.attempts) == (Status.QUEUED, 0)
    assert words in waiting.error
    assert wake() == 0, "it would be tried again each second"
    settings.SMS_URL, gateway.answers = right, [201]
    Notification.objects.update(run_after=Now(), ring_after=Now())
    assert run(message).status == Status.DONE


@pytest.mark.parametrize("url", [BROKEN, NO_TEMPLATES])
def test_the_next_gateway_takes_it_meanwhile(queued, gateway, settings, url) -> None:
    message = queued("sms")
    settings.SMS_URL = f"{url} {settings.SMS_URL}"
    gateway.answers = [201]

    assert run(message).status == Status.DONE


def test_a_refusal_of_the_message_by_all_gateways_still_fails_it(queued, gateway) -> None:
    gateway.answers = [422]

    assert run(queued("sms")).status == Status.FAILED


def test_a_url_that_cannot_be_read_is_said_by_the_health_check(settings) -> None:
    settings.SMS_URL = BROKEN

    assert report_channels().checks["channel:sms"] == gateways("sms")[0].problem
