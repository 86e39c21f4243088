"""Every table says how long it keeps its rows, and what it says is what really runs."""

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from axes.models import AccessAttempt, AccessLog
from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.core.cache import cache
from django.db import connection
from django.db.models.functions import Now
from django.utils.module_loading import autodiscover_modules

from orders.models import User
from orders.retention import BOUNDED, FOR_GOOD, PRUNED
from project.jobs.model import job_models
from project.models import JobDecision, PerformanceRun
from project.schedule import daily, sweeps
from project.schedule import prune as pruning
from project.schedule.prune import CACHE, prune

TABLES_WITHOUT_MODEL = {"project_cache", "django_migrations"}
"""The first is pruned (`ended cache entries`), the second grows with releases only."""
ALSO_FOR_GOOD = {"orders.User", "orders.Invoice"}
"""Of these only some rows are pruned, or only a part of each."""


def unclassified(*left_out: str) -> set[str]:
    """Return the models that stand in no table of retention, or in more than one."""
    named = Counter({*(rule.model for rule in PRUNED)} - {*left_out})
    named.update({*FOR_GOOD} - {*left_out})
    named.update({*BOUNDED} - {*left_out})
    known = {model._meta.label for model in apps.get_models(include_auto_created=True)}
    return {label for label in known | named.keys() if named[label] != 1 or label not in known}


def test_each_model_is_pruned_or_grows_for_good_or_does_not_grow() -> None:
    assert unclassified() == set()
    assert all([*FOR_GOOD.values(), *BOUNDED.values()])


@pytest.mark.parametrize(
    "label", ["notifications.Notification", "orders.Order", "orders.Stock", "axes.AccessLog"]
)
def test_a_model_that_nobody_classified_is_found(label: str) -> None:
    """The control: without its entry the test above fails."""
    assert unclassified(label) == {label}


@pytest.mark.django_db
def test_each_table_of_the_database_has_a_model_or_is_known() -> None:
    with_model = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}

    assert set(connection.introspection.table_names()) - with_model == TABLES_WITHOUT_MODEL


@pytest.mark.django_db
def test_each_rule_is_run_by_the_sweep_that_it_names_and_each_sweep_has_a_rule() -> None:
    autodiscover_modules("sweeps")
    run = set(prune()) - {CACHE}
    run |= {f"daily: {name}" for name in daily.works}
    run |= {f"relay: {each.name}" for each in sweeps.registered}
    named = {rule.by for rule in PRUNED}

    assert named <= run
    assert {name for name in run if ": " not in name} <= named


@pytest.mark.django_db
def test_each_sweep_deletes_rows_of_the_model_that_its_rule_names() -> None:
    autodiscover_modules("tasks")
    found = {name: rows().rows.model._meta.label for name, rows in pruning._more.items()}
    found |= {model.app: model._meta.label for model in job_models()}

    first: dict[str, str] = {}
    for rule in PRUNED:
        first.setdefault(rule.by, rule.model)
    assert {name: first[name] for name in found} == found


def test_each_setting_exists_and_is_the_time_that_the_rule_says() -> None:
    for rule in PRUNED:
        if rule.setting:
            kept = rule.kept() if callable(rule.kept) else rule.kept
            value = getattr(settings, rule.setting)
            assert kept == timedelta(days=value * (366 if "YEARS" in rule.setting else 1))


@pytest.mark.django_db
def test_logs_are_kept_for_their_time_and_then_deleted(settings: Any) -> None:
    settings.KEEP_SIGN_INS_DAYS, settings.KEEP_DESK_LOG_DAYS = 30, 100
    boss = User.objects.create_superuser("boss")
    for days, name in ((29, "young"), (31, "old")):
        AccessAttempt.objects.create(username=name, ip_address="192.0.2.1", failures_since_start=1)
        AccessLog.objects.create(username=name)
        for model in (AccessAttempt, AccessLog):
            at = Now() - timedelta(days=days)
            model.objects.filter(username=name).update(attempt_time=at)
    for days, name in ((99, "young"), (101, "old")):
        at = Now() - timedelta(days=days)
        LogEntry.objects.create(user=boss, action_flag=2, object_repr=name, action_time=at)
        JobDecision.objects.create(job_id=uuid4(), app="media", label=name, decided_at=at)
    for days in (399, 401):
        began = Now() - timedelta(days=days)
        PerformanceRun.objects.create(
            rate=5, seconds=60, state="done", started_at=began, finished_at=began
        )

    deleted = prune()

    assert deleted["wrong passwords"] == deleted["log of sign-ins"] == deleted["audit log"] == 1
    assert deleted["decisions about jobs"] == deleted["performance runs"] == 1
    assert [each.username for each in AccessAttempt.objects.all()] == ["young"]
    assert [each.username for each in AccessLog.objects.all()] == ["young"]
    assert [each.object_repr for each in LogEntry.objects.all()] == ["young"]
    assert [each.label for each in JobDecision.objects.all()] == ["young"]


@pytest.mark.django_db
def test_what_has_ended_in_the_cache_is_deleted() -> None:
    cache.set("ended", 1, timeout=60)
    cache.set("current", 1, timeout=60)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE project_cache SET expires = now() - interval '1 minute'"
            " WHERE cache_key LIKE '%ended'"
        )

    assert prune()[CACHE] == 1
    assert cache.get("current") == 1
