"""Junk in the addresses and forms of the desk: refused or ignored, never an error of ours."""

import logging
from io import StringIO
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from orders.models import User

pytestmark = pytest.mark.django_db

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
JUNK = ["\x00", "abc", "-1", "9" * 40]


def list_of(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss"))
    client.raise_request_exception = False
    return client


def parameters_of(model: type[Model]) -> list[str]:
    """Return what the list's address may hold: search, order, page, filters, days, nonsense."""
    model_admin = admin.site._registry[model]
    names = ["q", "o", "p", "nonsense", "pk__exact"]
    for spec in model_admin.list_filter:
        field = spec[0] if isinstance(spec, tuple) else spec
        if isinstance(field, str):
            endings = ("__exact", "__id__exact", "__isnull", "__gte", "_from", "_to", "_from_0")
            names += [f"{field}{ending}" for ending in endings]
        else:
            names.append(field.parameter_name)
    if model_admin.date_hierarchy:
        names += [f"{model_admin.date_hierarchy}__{part}" for part in ("year", "month", "day")]
    return names


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_a_list_answers_whatever_stands_in_its_address(desk: Client, model: type[Model]) -> None:
    failed = [
        (name, junk)
        for name in parameters_of(model)
        for junk in JUNK
        if desk.get(list_of(model), {name: junk}).status_code >= 500
    ]

    assert failed == []


@pytest.mark.parametrize("lookup", ["regex", "iregex"])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_a_list_is_not_searched_by_patterns(desk: Client, model: type[Model], lookup: str) -> None:
    answer = desk.get(list_of(model), {f"{model._meta.pk.name}__{lookup}": "((("})

    assert answer.status_code == 400


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_an_action_answers_whatever_was_chosen(desk: Client, model: type[Model], rf: Any) -> None:
    request = rf.get("/")
    request.user = User.objects.get(username="boss")
    actions = [*admin.site._registry[model].get_actions(request), "nonsense"]
    failed = [
        (action, junk)
        for action in actions
        for junk in JUNK
        if desk.post(list_of(model), {"action": action, ACTION_CHECKBOX_NAME: junk}).status_code
        >= 500
    ]

    assert failed == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_a_record_answers_whatever_it_is_called(desk: Client, model: type[Model]) -> None:
    failed = [
        (junk, page)
        for junk in ("%00", "abc", "9" * 40)
        for page in ("change", "history")
        if desk.get(f"{list_of(model)}{junk}/{page}/").status_code >= 500
    ]

    assert failed == []


def test_control_without_the_middleware_a_nul_is_an_error(desk: Client, settings: Any) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "DeskInput" not in name]
    desk.handler.load_middleware()

    assert (
        desk.get(reverse("admin:orders_order_changelist"), {"status__exact": "\x00"}).status_code
        == 500
    )


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """What the process writes, through the handler and filters of its settings."""
    stream = StringIO()
    [handler] = [one for one in logging.getLogger().handlers if one.name == "stderr"]
    monkeypatch.setattr(handler, "stream", stream)
    return stream


@pytest.mark.parametrize("page", ["changelist", "add", "change", "delete"])
def test_a_field_that_no_link_names_is_refused_in_one_line(
    page: str, desk: Client, log: StringIO
) -> None:
    boss = User.objects.get()
    args = [boss.pk] if page in ("change", "delete") else []

    answer = desk.get(reverse(f"admin:orders_user_{page}", args=args), {"_to_field": "zz"})

    assert answer.status_code == 400
    assert "The field zz cannot be referenced." in log.getvalue()
    assert "Traceback" not in log.getvalue()


def test_a_filter_that_may_not_be_is_refused_in_one_line(desk: Client, log: StringIO) -> None:
    answer = desk.get(list_of(User), {"groups__user__password__startswith": "p"})

    assert answer.status_code == 400
    assert "Filtering by groups__user__password__startswith not allowed" in log.getvalue()
    assert "Traceback" not in log.getvalue()


def test_a_form_of_too_many_fields_is_refused_in_one_line(desk: Client, log: StringIO) -> None:
    answer = desk.post(list_of(User), {f"field{number}": "" for number in range(2000)})

    assert answer.status_code == 400
    assert "DATA_UPLOAD_MAX_NUMBER_FIELDS" in log.getvalue()
    assert "Traceback" not in log.getvalue()


def test_an_error_of_ours_keeps_its_traceback(log: StringIO) -> None:
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError:
        logging.getLogger("django.request").exception("an error")

    assert "Traceback" in log.getvalue()
