"""The desk shows and changes limits, and clears a key that has reached one."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from orders.models import User
from project.limits.counters import Count, LimitReachedError, take
from project.limits.rates import ORDER_LIMITS, Rate
from project.models import Limit, LimitCounter
from tests.desk import clerk, clerk_client
from tests.pages import open_page

__all__ = ["clerk", "clerk_client"]

pytestmark = pytest.mark.django_db
LIMITS, COUNTERS = "/admin/project/limit/", "/admin/project/limitcounter/"


@pytest.fixture(autouse=True)
def limited(settings: Any) -> None:
    settings.ORDER_LIMITS = ORDER_LIMITS
    settings.SMS_DAILY_CAP = {"all": Rate(2000, 86_400), "CN": Rate(500, 86_400)}


def ada(rate: Rate = ORDER_LIMITS["email"]) -> Count:
    return Count("order:email", "ada@example.org", rate)


def cell(page: Any, row: str) -> str:
    table = page.content.decode().partition('id="result_list"')[2]  # a message names the limit too
    return " ".join(table.partition(row)[2].split("</tr>")[0].split())


def test_every_limit_is_listed_with_its_value(admin_client: Client) -> None:
    page = admin_client.get(LIMITS)

    assert "10 an hour" in cell(page, "Orders with one e-mail address")
    assert "500 a day" in cell(page, "SMS to China")
    assert "60 a minute" in cell(page, "Questions to carriers from one address")
    assert "600 a minute" in cell(page, "Requests of one API client")
    assert Limit.objects.count() == 10


def test_a_changed_limit_is_in_force_and_an_emptied_one_follows_the_setting(
    admin_client: Client,
) -> None:
    admin_client.get(LIMITS)
    url = f"{LIMITS}order_3Aemail/change/"

    open_page(admin_client, url).send(allowed="1", seconds="60")
    take([ada()])
    with pytest.raises(LimitReachedError):
        take([ada()])
    assert "1 a minute" in cell(admin_client.get(LIMITS), "Orders with one e-mail address")

    open_page(admin_client, url).send(allowed="", seconds="")
    take([ada()])


@pytest.mark.parametrize("values", [{"allowed": "5"}, {"seconds": "60"}, {"allowed": "-1"}])
def test_half_a_limit_is_refused(admin_client: Client, values: dict[str, str]) -> None:
    admin_client.get(LIMITS)

    answer = open_page(admin_client, f"{LIMITS}order_3Aemail/change/").send(**values)

    assert answer.status_code == 200  # the form again
    assert Limit.objects.get(name="order:email").allowed is None


def test_a_cap_of_sms_is_for_a_day(admin_client: Client) -> None:
    admin_client.get(LIMITS)

    open_page(admin_client, f"{LIMITS}sms_3ACN/change/").send(allowed="7")

    changed = Limit.objects.get(name="sms:CN")
    assert (changed.allowed, changed.seconds) == (7, 86_400)


def test_a_key_at_its_limit_is_found_and_cleared(admin_client: Client) -> None:
    take([ada(Rate(1, 3600))])
    take([Count("order:phone", "+4930123456", Rate(5, 3600))])
    page = admin_client.get(COUNTERS, {"state": "blocked"})
    assert "ada@example.org" in page.content.decode()
    assert "1 / 1" in page.content.decode()
    assert "+4930123456" not in page.content.decode()

    blocked = LimitCounter.objects.get(name="order:email")
    admin_client.post(COUNTERS, {"action": "clear", "_selected_action": [blocked.pk]})

    take([ada(Rate(1, 3600))])


def test_a_clerk_who_may_only_look_clears_and_changes_nothing(
    clerk: User, clerk_client: Client
) -> None:
    take([ada(Rate(1, 3600))])
    clerk_client.get(LIMITS)
    assert clerk_client.get(COUNTERS).status_code == 200

    blocked = LimitCounter.objects.get()
    clerk_client.post(COUNTERS, {"action": "clear", "_selected_action": [blocked.pk]})
    clerk_client.post(f"{LIMITS}order_3Aemail/change/", {"allowed": "9", "seconds": "60"})

    assert LimitCounter.objects.filter(pk=blocked.pk).exists()
    assert not Limit.objects.filter(allowed=9).exists()
    clerk.user_permissions.add(Permission.objects.get(codename="delete_limitcounter"))
    clerk_client.post(COUNTERS, {"action": "clear", "_selected_action": [blocked.pk]})
    assert not LimitCounter.objects.exists()


def test_a_reached_cap_of_sms_is_said_above_the_messages(admin_client: Client) -> None:
    take([Count("sms:CN", "CN", Rate(1, 86_400))])

    page = admin_client.get("/admin/notifications/notification/")

    assert "SMS to China: the 1 of today are sent" in page.content.decode()


def test_a_setting_that_is_off_is_said(admin_client: Client, settings: Any) -> None:
    settings.ORDER_LIMITS, settings.SMS_DAILY_CAP = None, {}

    page = admin_client.get(LIMITS).content.decode()

    assert "ORDER_LIMITS is off" in page
    assert "SMS_DAILY_CAP is off" in page
