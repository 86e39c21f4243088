"""A message to another address: a row of its own, once per address."""

from uuid import uuid4

import pytest

from notifications.delivery.stored_html import stored_html
from notifications.models import Notification
from notifications.outbox import account_message, announcement_message
from notifications.resending import is_repeat, may_resend, resend, resend_once
from notifications.tasks import send

pytestmark = pytest.mark.django_db(transaction=True)


def announced() -> Notification:
    message = announcement_message(
        announcement_id=7,
        reader_id=1,
        email="ada@example.org",
        name="Ada",
        language="en",
        subject="News",
        text="All is well.",
        preferences_url="http://localhost/",
        unsubscribe_url="http://localhost/unsubscribe/x/",
    )
    message.save(force_insert=True)
    return message


@pytest.mark.parametrize("original", ["of an order", "of none"])
def test_an_address_gets_the_copy_once_however_often_it_is_asked(original, queued) -> None:
    message = queued() if original == "of an order" else announced()

    first, is_new = resend(message, to="new@example.org")
    second, is_new_again = resend(message, to="new@example.org")

    assert (is_new, is_new_again) == (True, False)
    assert first == second
    assert Notification.objects.count() == 2


def test_the_first_message_and_its_log_stay_as_they_are(queued, mailbox) -> None:
    message = queued()
    send(str(message.pk))
    message.refresh_from_db()
    before = dict(message.__dict__)

    copy, _is_new = resend(message, to="new@example.org")
    send(str(copy.pk))

    message.refresh_from_db()
    copy.refresh_from_db()
    assert {k: v for k, v in message.__dict__.items() if k != "_state"} == {
        k: v for k, v in before.items() if k != "_state"
    }
    assert copy.resent_from == message.pk
    assert copy.subject == message.subject
    assert stored_html(copy) == stored_html(message) != ""
    assert copy.provider_id != message.provider_id
    recipients = {recipient for kept in mailbox.messages() for recipient in kept.recipients}
    assert recipients == {"zoe@example.org", "new@example.org"}


def test_an_order_that_wrote_to_the_address_before_is_found(queued) -> None:
    message = queued()
    other = Notification.objects.get(pk=message.pk)
    other.pk, other.recipient = uuid4(), "other@example.org"
    other.save(force_insert=True)

    found, is_new = resend(message, to="other@example.org")

    assert (found.pk, is_new) == (other.pk, False)


@pytest.mark.parametrize("original", ["of an order", "of none"])
@pytest.mark.parametrize("to", ["the same", "another"])
def test_a_recipient_gets_one_copy_for_each_key(original, to, queued) -> None:
    message = queued() if original == "of an order" else announced()
    recipient = message.recipient if to == "the same" else "new@example.org"
    keys = [uuid4(), uuid4()]

    made = [resend_once(message, to=recipient, key=key) for key in (*keys, *keys)]

    assert [is_new for _copy, is_new in made] == [True, True, False, False]
    assert [copy.pk for copy, _new in made[:2]] == [copy.pk for copy, _new in made[2:]]
    assert Notification.objects.count() == 3
    again, _is_new = resend_once(made[0][0], to=recipient, key=uuid4())
    assert is_repeat(again) or original == "of none"


def test_a_code_never_goes_to_another_address(db) -> None:
    code = account_message(
        event="sign_in_code",
        recipient="ada@example.org",
        language="en",
        context={"code": "123456"},
    )

    assert not may_resend(code)
    with pytest.raises(AssertionError):
        resend(code, to="eve@example.org")
