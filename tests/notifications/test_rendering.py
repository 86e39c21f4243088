import pytest

from notifications.models import Notification
from notifications.rendering import render
from tests.notifications.conftest import CONTEXT


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
