"""Vouchers at the desk: made, changed and switched off; one that was used stays."""

from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client

from orders.models import Voucher, VoucherUse
from tests.orders.shop.pages import text_of

pytestmark = pytest.mark.django_db

LIST = "/admin/orders/voucher/"
ADD = f"{LIST}add/"
FORM = {"code": "spring 26", "kind": "percent", "value": "10", "is_active": "on"}


def typed(**changes: Any) -> dict[str, Any]:
    times = {f"{name}_{part}": "" for name in ("starts_at", "ends_at") for part in (0, 1)}
    empty = dict.fromkeys(("category", "minimum", "limit", "limit_per_person"), "")
    return {**times, **empty, **FORM, **changes}


def test_a_manager_makes_a_voucher_however_the_code_is_typed(admin_client: Client) -> None:
    answer = admin_client.post(ADD, typed())

    assert answer.status_code == 302
    assert Voucher.objects.get().code == "SPRING26"
    assert "10 %" in text_of(admin_client.get(LIST))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"value": "101"}, "A percentage is above 0 and at most 100."),
        ({"code": "ä"}, "Use 3 to 40 capital letters, digits and hyphens."),
        ({"limit": "0"}, "greater than or equal to 1"),
    ],
)
def test_what_makes_no_sense_is_told(
    admin_client: Client, changes: dict[str, str], words: str
) -> None:
    answer = admin_client.post(ADD, typed(**changes))

    assert words in text_of(answer)
    assert not Voucher.objects.exists()


def test_a_limit_below_the_uses_is_told_and_a_used_voucher_stays(admin_client: Client) -> None:
    voucher = Voucher.objects.create(code="TEN", kind="percent", value=10, used=2)
    VoucherUse.objects.create(order_id=uuid4(), voucher=voucher, person="x", amount=1)
    page = f"/admin/orders/voucher/{voucher.pk}/change/"

    answer = admin_client.post(page, typed(code="TEN", limit="1"))

    assert "It was used 2 times already." in text_of(answer)
    delete = f"/admin/orders/voucher/{voucher.pk}/delete/"
    assert delete not in admin_client.get(page).content.decode()
    assert admin_client.post(delete).status_code == 403


def test_its_times_say_of_which_zone_they_are(admin_client: Client) -> None:
    admin_client.post(ADD, typed(ends_at_0="2026-12-01", ends_at_1="23:59"))

    form, rows = text_of(admin_client.get(ADD)), text_of(admin_client.get(LIST))

    assert f"Until ({settings.TIME_ZONE})" in form
    assert f"Until ({settings.TIME_ZONE})" in rows
    assert "2026-12-01 23:59" in rows
