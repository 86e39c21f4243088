"""The roles' groups, and who may give whom what."""

import json
from io import StringIO
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from orders.accounts.roles import ROLES, apply_roles
from orders.models import User
from tests.pages import open_page

pytestmark = pytest.mark.django_db


def person(role: str, name: str, **fields: Any) -> User:
    user = User.objects.create_user(name, is_staff=True, password="old", **fields)
    user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def manager() -> Client:
    client = Client()
    client.force_login(person("Manager", "mia"))
    return client


def page(user: User, name: str = "change") -> str:
    return reverse(f"admin:orders_user_{name}", args=[user.pk])


def test_a_migrate_gives_each_role_its_permissions_and_takes_none_away() -> None:
    clerk = Group.objects.get(name="Clerk")
    by_hand = Permission.objects.get(codename="change_category")
    clerk.permissions.set([by_hand])
    Group.objects.filter(name="Viewer").delete()

    apply_roles()

    named = {f"{p.content_type.app_label}.{p.codename}" for p in clerk.permissions.all()}
    [declared] = [role for role in ROLES if role.name == "Clerk"]
    assert named == declared.permissions | {"orders.change_category"}
    assert Group.objects.get(name="Viewer").permissions.exists()


def test_each_permission_of_the_table_exists() -> None:
    known = {
        f"{p.content_type.app_label}.{p.codename}"
        for p in Permission.objects.select_related("content_type")
    }

    assert {name for role in ROLES for name in role.permissions} - known == set()


def test_the_command_lists_the_five_roles() -> None:
    out, data = StringIO(), StringIO()

    call_command("roles", stdout=out)
    call_command("roles", "--json", stdout=data)

    assert [role["name"] for role in json.loads(data.getvalue())] == [r.name for r in ROLES]
    assert "orders.refund_order" in json.loads(data.getvalue())[3]["permissions"]
    assert "Stock keeper" in out.getvalue()
    assert "Can view order" in out.getvalue()


def test_a_person_is_added_with_a_role_that_is_explained(manager: Client) -> None:
    url = reverse("admin:orders_user_add")
    html = manager.get(url).content.decode()
    clerk = Group.objects.get(name="Clerk")

    open_page(manager, url).send(
        username="carl",
        usable_password="true",
        password1="correct horse battery",
        password2="correct horse battery",
        groups=[str(clerk.pk)],
    )

    added = User.objects.get(username="carl")
    assert "Clerk – Works on orders" in html
    assert added.is_staff
    assert list(added.groups.all()) == [clerk]
    assert added.has_perm("orders.change_order")


@pytest.mark.parametrize("role", ["Engineer", "Publisher"])
def test_nobody_gives_a_role_that_can_more_than_they_can(role: str, manager: Client) -> None:
    group, _created = Group.objects.get_or_create(name=role)
    if role == "Publisher":
        group.permissions.add(Permission.objects.get(codename="change_group"))
    carl = person("Clerk", "carl")

    answer = open_page(manager, page(carl)).send(groups=[str(group.pk)])

    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors["groups"]
    assert [known.name for known in carl.groups.all()] == ["Clerk"]


def test_nobody_makes_a_superuser_of_anybody(manager: Client) -> None:
    carl = person("Clerk", "carl")
    mighty = Permission.objects.get(codename="change_group")

    open_page(manager, page(carl)).send(is_superuser="on")
    refused = open_page(manager, page(carl)).send(user_permissions=[str(mighty.pk)])

    carl.refresh_from_db()
    assert not carl.is_superuser
    assert not carl.user_permissions.exists()
    assert refused.context["adminform"].form.errors["user_permissions"]


@pytest.mark.parametrize("who", ["superuser", "engineer", "former engineer"])
def test_an_account_that_can_more_is_out_of_reach(who: str, manager: Client) -> None:
    user = (
        User.objects.create_superuser("boss", "boss@example.org", "old")
        if who == "superuser"
        else person("Engineer", "eve", email="eve@example.org", is_active="former" not in who)
    )
    address = EmailAddress.objects.create(user=user, email=user.email, primary=True)
    new = {"password1": "correct horse battery", "password2": "correct horse battery"}

    answers = [
        manager.post(page(user), {"username": "mine"}),
        manager.post(reverse("admin:auth_user_password_change", args=[user.pk]), new),
        manager.post(page(user, "delete"), {"post": "yes"}),
        manager.post(page(user, "end_sessions")),
        manager.post(f"/admin/account/emailaddress/{address.pk}/change/", {"verified": "on"}),
        manager.post(f"/admin/account/emailaddress/{address.pk}/delete/", {"post": "yes"}),
    ]

    assert [answer.status_code for answer in answers] == [403] * 6
    kept = User.objects.get(pk=user.pk)
    assert (kept.username, kept.check_password("old")) == (user.username, True)
    address.refresh_from_db()
    assert not address.verified


def test_the_selected_are_not_deleted_with_one_that_can_more(manager: Client) -> None:
    boss = User.objects.create_superuser("boss")

    manager.post(
        reverse("admin:orders_user_changelist"),
        {"action": "delete_selected", "_selected_action": [boss.pk], "post": "yes"},
    )

    assert User.objects.filter(pk=boss.pk).exists()


def test_who_is_in_the_audit_log_is_not_deleted(admin_client: Client) -> None:
    carl = person("Clerk", "carl")
    LogEntry.objects.create(user=carl, action_flag=2, change_message="[]", object_repr="x")

    admin_client.post(page(carl, "delete"), {"post": "yes"})

    assert User.objects.filter(pk=carl.pk).exists()
    assert LogEntry.objects.filter(user=carl).exists()
