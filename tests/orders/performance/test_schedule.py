"""The entry of the performance run in the schedule."""

from importlib import import_module

import pytest
from django.apps import apps
from django_celery_beat.models import PeriodicTask

from orders import tasks


@pytest.mark.django_db
def test_the_run_is_off_until_an_operator_switches_it_on(monkeypatch: pytest.MonkeyPatch) -> None:
    PeriodicTask.objects.filter(name="Performance run").delete()
    import_module("project.migrations.0027_performance_schedule").create_schedule(apps, None)
    monkeypatch.setattr(tasks, "run_performance", lambda: {"orders": 1})

    entry = PeriodicTask.objects.get(name="Performance run")

    assert entry.enabled is False
    assert entry.task == tasks.performance.name
    assert tasks.performance.run() == {"orders": 1}
