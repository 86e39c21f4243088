"""The /mailbox/ pages, as a browser gets them."""

import pytest
from django.urls import reverse

from notifications.models import Notification
from project.jobs.run import run_job

pytestmark = [
    pytest.mark.django_db,
    # Whitenoise looks for what `collectstatic` leaves in production.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


@pytest.fixture
def delivered(queued, mailbox):
    """One e-mail and one SMS that went all the way."""
    for channel in ("email", "sms"):
        run_job(Notification, queued(channel).pk)
    return mailbox


def page_of(mailbox, channel: str, name: str = "mailbox-message") -> str:
    [message] = [message for message in mailbox.messages() if message.channel == channel]
    return reverse(name, kwargs={"message_id": message.id})


def test_the_list_shows_who_got_what(client, delivered):
    page = client.get(reverse("mailbox")).content.decode()

    assert "zoe@example.org" in page
    assert "+4915112345678" in page
    assert "Your order T1001 at Tandem" in page
    assert page.index("+4915112345678") < page.index("zoe@example.org")


def test_a_search_finds_a_recipient_by_a_part(client, delivered):
    page = client.get(reverse("mailbox"), {"q": "ZOE@"}).content.decode()

    assert "zoe@example.org" in page
    assert "+4915112345678" not in page


def test_a_search_without_a_find_says_so_and_escapes_its_words(client, delivered):
    page = client.get(reverse("mailbox"), {"q": "<b>nobody"}).content.decode()

    assert "“&lt;b&gt;nobody”" in page


def test_a_long_list_has_pages_that_keep_the_search(client, mailbox):
    for _ in range(51):
        mailbox.add_sms(recipient="+4915112345678", text="x")

    page = client.get(reverse("mailbox"), {"q": "+49", "page": 2}).content.decode()

    assert "Page 2 of 2" in page
    assert "?page=1&amp;q=%2B49" in page


def test_an_empty_mailbox_says_what_to_do(client, mailbox):
    assert b"Place an order" in client.get(reverse("mailbox")).content


def test_the_list_speaks_chinese(client, delivered):
    page = client.get(reverse("mailbox"), headers={"accept-language": "zh-hans"})

    assert "2 条消息" in page.content.decode()


def test_an_email_page_shows_text_source_and_a_frame(client, delivered):
    page = client.get(page_of(delivered, "email")).content.decode()

    assert f'src="{page_of(delivered, "email", "mailbox-message-html")}"' in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert "Hello Zoë Müller," in page
    assert "Auto-Submitted: auto-generated" in page


def test_the_frame_may_run_and_load_nothing(client, delivered):
    response = client.get(page_of(delivered, "email", "mailbox-message-html"))

    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups" in policy
    assert "script-src" not in policy
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert b"Green tea" in response.content


def test_an_sms_page_shows_its_text_with_a_link_that_works(client, delivered):
    page = client.get(page_of(delivered, "sms")).content.decode()

    assert 'href="http://localhost:8000/orders/0d9f/"' in page
    assert "<iframe" not in page


def test_an_sms_has_no_html(client, delivered):
    response = client.get(page_of(delivered, "sms", "mailbox-message-html"))

    assert response.status_code == 404


def test_a_message_that_is_gone_is_not_found(client, mailbox):
    assert client.get(f"{reverse('mailbox')}{'0' * 32}/").status_code == 404


@pytest.mark.parametrize("name", ["mailbox-message", "mailbox-message-html"])
def test_outside_local_mode_no_message_is_shown(client, delivered, settings, name):
    settings.TANDEM_LOCAL = False

    assert client.get(page_of(delivered, "email", name)).status_code == 404
    assert client.get(reverse("mailbox")).status_code == 404
