"""Every message's templates with the context that its event freezes, in both languages."""

import re

import pytest
from django.conf import settings
from django.template import Engine

from notifications.events import EVENTS
from notifications.models import Notification
from notifications.rendering import Wording, render
from notifications.segments import count_segments
from orders.messages.samples import sample_context
from orders.models import Order
from tests.desk import placed
from tests.factories import add_product

pytestmark = pytest.mark.django_db

MESSAGES = [
    (event, channel.value, language)
    for event, row in EVENTS.items()
    for channel in row.channels
    for language, _name in settings.LANGUAGES
]
OF_ORDERS = [message for message in MESSAGES if message[0].startswith("order_")]
EMAILS = [message for message in MESSAGES if message[1] == "email"]
TEXTS = [message for message in MESSAGES if message[1] == "sms"]
MISSING = "MISSING"


@pytest.fixture
def order(db: None) -> Order:
    return placed(add_product("MUG", price="12.30"), quantity=2)


def sample(order: Order, event: str, channel: str, language: str) -> Wording:
    return render(
        Notification(
            event=event,
            channel=channel,
            language=language,
            context=sample_context(event, order=order, language=language),
        )
    )


@pytest.mark.parametrize(("event", "channel", "language"), MESSAGES)
def test_no_message_names_what_it_is_not_told(
    event: str, channel: str, language: str, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine.get_default(), "string_if_invalid", MISSING)

    words = sample(order, event, channel, language)

    assert words.text.strip()
    assert MISSING not in words.text + words.subject + words.html


@pytest.mark.parametrize(("event", "channel", "language"), EMAILS)
def test_every_email_has_a_text_part_and_fits_phones_and_the_dark(
    event: str, channel: str, language: str, order: Order
) -> None:
    words = sample(order, event, channel, language)

    assert words.subject
    assert len(words.text) > 40
    assert f'<html lang="{language}">' in words.html
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in words.html
    assert '<meta name="color-scheme" content="light dark">' in words.html
    assert "@media (prefers-color-scheme: dark)" in words.html
    assert "<script" not in words.html
    # What loads from elsewhere tells the sender who reads; some mail programs block it.
    assert not re.search(r'(src|background)="https?:|url\(', words.html)


@pytest.mark.parametrize(("event", "channel", "language"), EMAILS)
def test_a_light_colour_never_stays_in_the_dark(
    event: str, channel: str, language: str, order: Order
) -> None:
    """Each inline colour belongs to an element that the dark style sheet repaints."""
    html = sample(order, event, channel, language).html

    for tag in re.findall(r"<[a-z][^>]*style=[^>]*>", html):
        if re.search(r"[ ;\"](background|color|border[a-z-]*):[^;\"]*#[0-9a-f]{3}", tag):
            assert re.search(r'class="[^"]*(page|card|ink|quiet|code|rule|link|button)', tag), tag


@pytest.mark.parametrize(("event", "channel", "language"), OF_ORDERS)
def test_every_message_about_an_order_leads_to_its_page(
    event: str, channel: str, language: str, order: Order
) -> None:
    words = sample(order, event, channel, language)

    url = settings.SITE_URL + order.get_absolute_url()
    assert url in words.text
    assert channel == "sms" or f'href="{url}"' in words.html


@pytest.mark.parametrize(("event", "channel", "language"), TEXTS)
def test_an_sms_of_a_usual_order_is_two_segments_at_most(
    event: str, channel: str, language: str, order: Order
) -> None:
    assert count_segments(sample(order, event, channel, language).text).segments <= 2
