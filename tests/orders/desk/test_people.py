"""Export and erasure at the desk: the page that asks, the reason, and who may."""

from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.test import Client

from orders.models import DeskJob, Order, User
from project.jobs.run import run_job
from tests.factories import make_order
from tests.orders.shop.pages import text_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def manager(client: Client, settings: Any, tmp_path: Path) -> Client:
    settings.MEDIA_ROOT = str(tmp_path)
    from orders.accounts.roles import apply_roles

    apply_roles()
    person = User.objects.create_user("manager", is_staff=True)
    person.groups.add(Group.objects.get(name="Manager"))
    client.force_login(person)
    return client


@pytest.fixture
def bob(db: None) -> User:
    user = User.objects.create_user("bob", "bob@example.org", name="Bob Robertson")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def erase_page(order: Order) -> str:
    return f"/admin/orders/order/{order.pk}/person/erase/"


def test_a_guest_is_erased_from_the_page_of_an_order(manager: Client) -> None:
    order = make_order(status="cancelled")
    page = manager.get(f"/admin/orders/order/{order.pk}/change/")
    assert erase_page(order) in page.content.decode()
    assert "ada@example.org" in text_of(manager.get(erase_page(order)))

    manager.post(erase_page(order), {"reason": "asked by letter"})

    job = DeskJob.objects.get(kind="erase_person")
    run_job(DeskJob, job.pk)
    order.refresh_from_db()
    assert order.name == "[erased]"
    entry = LogEntry.objects.get()
    assert "asked by letter" in entry.change_message
    assert "Erase the person" in entry.change_message
    after = manager.get(f"/admin/orders/order/{order.pk}/change/")
    assert "person erased at" in text_of(after)
    assert "mailto:" not in after.content.decode()
    assert manager.get(erase_page(order)).status_code == 404


def test_a_reason_is_needed(manager: Client) -> None:
    order = make_order(status="cancelled")

    answer = manager.post(erase_page(order), {"reason": ""})

    assert answer.status_code == 422
    assert not DeskJob.objects.exists()


def test_an_open_order_is_told_and_there_is_nothing_to_confirm(manager: Client) -> None:
    order = make_order()

    page = manager.get(erase_page(order))
    answer = manager.post(erase_page(order), {"reason": "asked"})

    assert f"Order {order} is still to be paid or delivered." in text_of(page)
    assert 'name="reason"' not in page.content.decode()
    assert "can't be erased yet" in text_of(answer).replace("&#x27;", "'")
    assert not DeskJob.objects.exists()


def test_an_account_is_exported_from_its_page_and_the_zip_handed_out(
    manager: Client, bob: User
) -> None:
    page = f"/admin/orders/user/{bob.pk}/change/"
    assert "export-person" in manager.get(page).content.decode()
    url = f"/admin/orders/user/{bob.pk}/export-person"
    assert "bob@example.org" in text_of(manager.get(url, follow=True))

    answer = manager.post(f"{url}/" if manager.get(url).status_code == 301 else url, follow=True)

    job = DeskJob.objects.get(kind="export_person")
    assert f"/admin/orders/deskjob/{job.pk}/change/" in answer.redirect_chain[-1][0]
    run_job(DeskJob, job.pk)
    file = manager.get(f"/admin/orders/deskjob/{job.pk}/report/")
    assert b"".join(file.streaming_content).startswith(b"PK")
    assert "Export the person" in LogEntry.objects.get().change_message


def test_the_zip_is_for_those_with_the_permission_only(manager: Client, bob: User) -> None:
    from orders.personal_data.jobs import queue_export
    from orders.personal_data.person import person_of

    job = queue_export(person_of(bob), user_id=None)
    run_job(DeskJob, job.pk)
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.groups.add(Group.objects.get(name="Clerk"))
    manager.force_login(clerk)

    assert manager.get(f"/admin/orders/deskjob/{job.pk}/report/").status_code == 403


def test_each_permission_opens_its_own_page(manager: Client) -> None:
    order = make_order(status="cancelled")
    helper = User.objects.create_user("helper", is_staff=True)
    may = Permission.objects.filter(codename__in=["view_order", "export_person"])
    helper.user_permissions.add(*may)
    manager.force_login(helper)

    assert manager.get(f"/admin/orders/order/{order.pk}/person/export/").status_code == 200
    assert manager.get(erase_page(order)).status_code == 403
    assert (
        erase_page(order)
        not in manager.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    )


def test_an_account_that_can_do_more_is_out_of_reach(manager: Client) -> None:
    root = User.objects.create_superuser("root", "root@example.org")
    order = make_order(status="cancelled", user=root)

    assert manager.get(erase_page(order)).status_code == 403
    assert manager.post(f"/admin/orders/user/{root.pk}/erase-person").status_code in (301, 403)
    assert not DeskJob.objects.exists()


def test_the_button_of_what_can_not_be_undone_is_red(manager: Client) -> None:
    order = make_order(status="cancelled")

    erasing = manager.get(erase_page(order)).content.decode()
    exporting = manager.get(f"/admin/orders/order/{order.pk}/person/export/").content.decode()

    assert "bg-red-600" in erasing
    assert "bg-red-600" not in exporting
