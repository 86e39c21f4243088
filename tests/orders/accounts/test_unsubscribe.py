"""The link that switches a message off: one click, no sign-in, signed, harmless twice."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from notifications.events import EVENTS
from notifications.models import Notification
from notifications.rendering import render
from orders.accounts.history import opt_out_context
from orders.accounts.unsubscribe import read_token, unsubscribe, unsubscribe_url
from orders.lifecycle.steps import Kind, record
from orders.messages import announcements
from orders.models import Order, User
from tests.desk import placed
from tests.factories import add_product
from tests.orders.readers import draft, plan_as_shown, subscribe

pytestmark = pytest.mark.django_db

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def ada(db: None) -> User:
    [user] = subscribe(1)
    return user


def path_of(user: User, event: str) -> str:
    return unsubscribe_url(user_id=user.pk, event=event).removeprefix("http://localhost:8000")


def press(path: str, **options: Any) -> Any:
    """As a mail program does: no cookie, no form, no token of the page."""
    return Client(enforce_csrf_checks=True).post(path, ONE_CLICK, **options)


@pytest.mark.parametrize("times", [1, 2])
def test_one_click_ends_announcements_however_often_it_is_pressed(ada: User, times: int) -> None:
    for _time in range(times):
        answer = press(path_of(ada, "announcement"))

    ada.refresh_from_db()
    assert answer.status_code == 200
    assert not ada.wants_announcements
    assert ada.muted_events == []
    assert announcements.audience().count() == 0


@pytest.mark.parametrize("times", [1, 2])
def test_one_click_switches_an_orders_message_off(ada: User, times: int) -> None:
    for _time in range(times):
        press(path_of(ada, "order_delivered"))

    ada.refresh_from_db()
    assert ada.muted_events == ["order_delivered"]
    assert ada.wants_announcements


def test_looking_at_the_link_changes_nothing_and_shows_a_button(ada: User) -> None:
    path = path_of(ada, "announcement")

    page = Client().get(path)

    ada.refresh_from_db()
    assert ada.wants_announcements
    assert f'<form method="post" action="{path}">' in page.content.decode()
    assert "Announcement" in page.content.decode()


def test_the_link_of_somebody_who_is_gone_is_no_error(ada: User) -> None:
    path = path_of(ada, "announcement")
    ada.delete()

    assert press(path).status_code == 200


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path[:-2] + "/",
        lambda path: path.replace("/unsubscribe/", "/unsubscribe/A"),
        lambda path: "/accounts/unsubscribe/x:y/",
        lambda path: "/accounts/unsubscribe/x/",
    ],
)
def test_a_link_that_is_not_ours_is_not_there(ada: User, spoil: Callable[[str], str]) -> None:
    path = spoil(path_of(ada, "announcement"))

    assert (Client().get(path).status_code, press(path).status_code) == (404, 404)
    ada.refresh_from_db()
    assert ada.wants_announcements


def test_another_users_link_can_not_be_made_of_ones_own(ada: User) -> None:
    [bob] = subscribe(1)
    theirs, mine = path_of(bob, "announcement"), path_of(ada, "announcement")
    payload, signature = theirs.split(":")[0], mine.split(":")[1]

    assert press(f"{payload}:{signature}").status_code == 404


def test_a_message_that_must_be_said_has_no_link(ada: User) -> None:
    token = path_of(ada, "order_cancelled").split("/")[-2]

    assert read_token(token) is None


def test_links_outlive_a_rotation_of_the_key(ada: User, settings: Any) -> None:
    path = path_of(ada, "announcement")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", [settings.SECRET_KEY]

    assert press(path).status_code == 200


# ── Which messages have it ──────────────────────────────────────────────────────────────────
def order_of(user: User, *, signed_in: bool) -> Order:
    order = placed(add_product("MUG"))
    values: dict[str, Any] = {"user": user} if signed_in else {"email": user.email.capitalize()}
    Order.objects.filter(pk=order.pk).update(**values)
    order.refresh_from_db()
    return order


@pytest.mark.parametrize("signed_in", [True, False])
@pytest.mark.parametrize("event", sorted(EVENTS))
def test_messages_that_may_be_switched_off_have_the_link_of_their_reader(
    event: str, signed_in: bool, ada: User
) -> None:
    order = order_of(ada, signed_in=signed_in)

    context = opt_out_context(event, order=order)

    if EVENTS[event].may_opt_out:
        assert read_token(context["unsubscribe_url"].split("/")[-2]) == (ada.pk, event)
    else:
        assert context == {}


def test_a_guest_has_no_account_to_remember_it_in(db: None) -> None:
    assert opt_out_context("order_delivered", order=placed(add_product("MUG"))) == {}


def test_an_address_that_was_never_confirmed_is_nobodys(ada: User) -> None:
    EmailAddress.objects.update(verified=False)

    assert opt_out_context("order_delivered", order=order_of(ada, signed_in=False)) == {}


@pytest.mark.parametrize("signed_in", [True, False])
def test_a_delivery_is_told_with_the_link_and_not_told_once_it_is_switched_off(
    ada: User, signed_in: bool
) -> None:
    order = order_of(ada, signed_in=signed_in)
    delivered = Notification.objects.filter(event="order_delivered")

    record(order, Kind.DELIVERED, user=None)
    [message] = delivered
    press(message.context["unsubscribe_url"].removeprefix("http://localhost:8000"))
    delivered.delete()
    record(order, Kind.DELIVERED, user=None)
    record(order, Kind.CANCELLED, user=None, reason="", given_back="")

    assert not delivered.exists()
    assert Notification.objects.filter(event="order_cancelled").exists()


def test_who_unsubscribes_before_their_batch_gets_no_announcement(ada: User) -> None:
    announcement = draft()
    plan_as_shown(announcement)
    announcements.send_announcements()
    unsubscribe(user_id=ada.pk, event="announcement")

    announcements.queue_batch(announcement.pk)

    assert not Notification.objects.filter(event="announcement").exists()


def test_an_announcement_has_the_link_in_both_parts(ada: User) -> None:
    announcement = draft()
    plan_as_shown(announcement)
    announcements.send_announcements()
    announcements.queue_batch(announcement.pk)
    message = Notification.objects.get(event="announcement")

    words = render(message)

    url = message.context["unsubscribe_url"]
    assert read_token(url.split("/")[-2]) == (ada.pk, "announcement")
    assert url in words.text
    assert f'href="{url}"' in words.html
