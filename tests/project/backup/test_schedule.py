"""The entry of the backup in the schedule, and the task."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django_celery_beat.models import PeriodicTask

from project import tasks
from project.backup.folder import BackupFolder
from project.backup.run import make_scheduled_backup
from project.schedule.daily import is_daily


@pytest.mark.django_db
def test_the_backup_is_off_until_an_operator_switches_it_on() -> None:
    PeriodicTask.objects.filter(name="Backup").delete()
    import_module("project.migrations.0028_backup_schedule").create_schedule(apps, None)

    entry = PeriodicTask.objects.get(name="Backup")

    assert entry.enabled is False
    assert is_daily(entry.task)
    assert tasks.backup.__module__ == entry.task.rpartition(".")[0]


@pytest.mark.django_db(transaction=True, databases=["default", "writer"])
def test_the_task_keeps_as_many_as_the_setting_says(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    settings.BACKUP_FOLDER, settings.BACKUP_KEEP = str(tmp_path / "backups"), 2

    made = [make_scheduled_backup() for _backup in range(3)]

    kept = BackupFolder(tmp_path / "backups").finished()
    assert [path.name for path in kept] == [each["file"] for each in made[1:]]
    assert [each["removed"] for each in made] == [0, 0, 1]
