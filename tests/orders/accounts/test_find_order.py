"""Finding an order without an account: its link goes to the order's own address only."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from notifications.models import Notification
from tests.factories import make_order
from tests.orders.accounts.pages import ADA, Response, said, shape_of

pytestmark = pytest.mark.django_db


def find(number: str, email: str = ADA, client: Client | None = None) -> Response:
    return (client or Client()).post("/orders/find/", {"number": number, "email": email})


FULL_WIDTH = str.maketrans("T0123456789", "Ｔ０１２３４５６７８９")


@pytest.mark.parametrize("spelling", ["{}", " {} ", "T{}", "t {}", "#T{}", "No. T{}", "№ {}"])
def test_the_link_goes_to_the_orders_address(spelling: str) -> None:
    order = make_order()

    find(spelling.format(order.number), "ADA@Example.ORG")

    [message] = said("order_link", to=order.email)
    assert message.context["url"].endswith(f"/orders/{order.pk}/")


def test_a_number_and_an_address_in_full_width_letters_are_understood() -> None:
    order = make_order()

    find(order.display_number.translate(FULL_WIDTH), "ａｄａ＠ｅｘａｍｐｌｅ．ｏｒｇ")

    [message] = said("order_link")
    assert message.context["url"].endswith(f"/orders/{order.pk}/")


@pytest.mark.parametrize(("number", "email"), [("1", ADA), ("x" * 20, ADA), ("{}", "eve@e.org")])
def test_a_miss_sends_nothing(number: str, email: str) -> None:
    order = make_order()

    find(number.format(order.number), email)

    assert not Notification.objects.exists()


def test_the_answer_and_its_work_do_not_tell_a_hit_from_a_miss() -> None:
    order = make_order()

    def work(number: int) -> tuple[tuple[int, str, str], list[str]]:
        with CaptureQueriesContext(connection) as captured:
            answer = find(str(number))
        words = [query["sql"].split()[0] for query in captured.captured_queries]
        return shape_of(answer), [
            "END OF SAVEPOINT" if word in ("RELEASE", "ROLLBACK") else word for word in words
        ]

    work(order.number)  # the first request counts in new rows

    assert work(order.number) == work(order.number + 1)


def test_nobody_can_flood_a_mailbox(client: Client) -> None:
    order = make_order()
    for _try in range(5):
        find(str(order.number))

    answer = find(str(order.number), client=client)

    assert answer.status_code == 429
    assert len(said("order_link")) == 5
