import pytest

from notifications.events import EVENTS
from notifications.models import Notification
from notifications.rendering import MAX_SEGMENTS, parameters, render, render_with_secrets
from notifications.segments import count_segments
from tests.notifications.order_context import CONTEXT


def wording(channel: str, *, language: str = "en", **context):
    notification = Notification(
        event="order_placed", channel=channel, language=language, context=CONTEXT | context
    )
    return render(notification)


def test_an_email_says_what_was_ordered_and_where_to_follow_it():
    email = wording("email")

    assert email.subject == "Your order T1001 at Tandem"
    for part in (email.text, email.html):
        assert "Zoë Müller" in part
        assert "Green tea" in part
        assert "€1,234.50" in part
        assert "http://localhost:8000/orders/0d9f/" in part
        assert "http://localhost:8000/orders/0d9f/pass/" in part


def test_only_an_order_that_is_picked_up_has_a_pass():
    delivery = wording("email", is_delivery=True)

    for part in (delivery.text, delivery.html):
        assert "http://localhost:8000/orders/0d9f/" in part
        assert "/pass/" not in part
        assert "pickup pass" not in part


def test_an_sms_is_one_line_with_the_total_and_the_link():
    sms = wording("sms")

    assert sms.text == (
        "Tandem: we have your order T1001, €1,234.50. http://localhost:8000/orders/0d9f/"
    )
    assert (sms.subject, sms.html) == ("", "")


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_messages_speak_the_language_of_the_order(channel):
    chinese = wording(channel, language="zh-hans")

    assert "订单" in chinese.text
    assert "your order" not in chinese.text


def test_the_html_names_its_language_for_screen_readers():
    assert '<html lang="zh-hans">' in wording("email", language="zh-hans").html


def test_an_unknown_language_falls_back_to_english():
    assert wording("email", language="xx").subject == "Your order T1001 at Tandem"


def test_names_are_escaped_in_html_and_left_alone_in_text():
    email = wording("email", name="<img src=x> & Söhne", shop_name="Tea & Co")

    assert "&lt;img src=x&gt; &amp; Söhne" in email.html
    assert "<img" not in email.html
    assert "<img src=x> & Söhne" in email.text
    assert email.subject == "Your order T1001 at Tea & Co"


def test_a_name_that_looks_like_a_template_stays_a_name():
    email = wording("email", name="{{ total }}{% now 'Y' %}")

    assert "{{ total }}{% now 'Y' %}" in email.text


def test_a_line_break_in_a_subject_becomes_a_space():
    email = wording("email", shop_name="Tandem\r\nBcc: everyone@example.org\u2028x")

    assert email.subject == "Your order T1001 at Tandem Bcc: everyone@example.org x"


def test_control_and_direction_characters_are_taken_out_of_a_subject():
    assert wording("email", shop_name="Tan\x07dem\u202egnp").subject.endswith("Tandemgnp")


def test_a_subject_fits_its_column():
    assert len(wording("email", shop_name="x" * 400).subject) == 300


def test_html_loads_nothing_from_elsewhere():
    html = wording("email").html

    assert "<img" not in html
    assert "<link" not in html
    assert "<script" not in html
    assert "url(" not in html


# ── The length of an SMS ────────────────────────────────────────────────────────────────────
SMS_EVENTS = [name for name, event in EVENTS.items() if Notification.Channel.SMS in event.channels]
URL = "https://shop.with-a-long-name.example.org/orders/0d9f6a52-9a1c-4d2f-8a55-6b1f4e1f3a10/"


def sms(event: str, *, language: str = "en", **context: str) -> str:
    notification = Notification(
        event=event,
        channel="sms",
        language=language,
        context=CONTEXT | {"status_url": URL, "minutes": 15} | context,
        secrets={"code": "123456"} if EVENTS[event].secrets else None,
    )
    return render_with_secrets(notification).text


@pytest.mark.parametrize("event", SMS_EVENTS)
def test_an_sms_of_usual_names_is_one_segment_in_english_and_two_in_chinese(event):
    usual = {
        "status_url": URL.replace("with-a-long-name.", ""),
        "carrier": "DHL",
        "tracking_number": "00340434161094042557",
    }

    assert count_segments(sms(event, **usual)).segments == 1
    assert count_segments(sms(event, language="zh-hans", **usual)).segments <= 2


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("script", ["Very Long Name ", "很长的名字", "🍵👩‍🚀", "{€}"])
@pytest.mark.parametrize("event", SMS_EVENTS)
def test_an_sms_stays_within_three_segments_whatever_names_are_in_it(event, script, language):
    long = script * 40
    extreme = {
        "shop_name": long,
        "carrier": long,
        "tracking_number": long,
        "total": "9999999999.99",
    }

    text = sms(event, language=language, **extreme)

    assert count_segments(text).segments <= MAX_SEGMENTS
    assert URL in text or "123456" in text, "what it is for is never cut"


def test_control_without_shortening_long_names_make_many_segments(monkeypatch):
    monkeypatch.setattr("notifications.rendering.NAME_LENGTHS", ())

    assert count_segments(sms("order_placed", shop_name="很长的名字" * 40)).segments > MAX_SEGMENTS


def test_names_are_cut_no_more_than_needed():
    name = "Deutsche Post Internationale Sendungen GmbH"

    assert name in sms("order_shipped", carrier=name, tracking_number="")


def test_a_gateways_template_gets_its_event_s_parameters_as_people_write_them():
    notification = Notification(
        event="order_placed", channel="sms", language="zh-hans", context=CONTEXT
    )

    assert parameters(notification) == {"number": "T1001", "total": "€1,234.50"}


@pytest.mark.parametrize("event", SMS_EVENTS)
def test_every_sms_event_has_parameters_for_gateways_with_templates(event):
    assert EVENTS[event].parameters
