#!/bin/sh
# django-celery-beat writes every column of an entry when it notes a run.
#
# Expected: beat shares the rows of the schedule with the admin, so after a run it writes what is
#   its own, `last_run_at` and `total_run_count` (`ModelEntry.save_fields` names just these; the
#   comment in `save` says "only change the fields we care about").
# Seen (django-celery-beat 2.9.0, Django 5.2.19, 2026-11-28): `ModelEntry.save` reads the row, sets
#   these fields and calls `obj.save()`, which writes all columns as they were read. An edit that is
#   committed between the two statements is undone: the admin said "changed successfully". A row
#   that an operator switches off in that moment is switched on again.
#
# Runs without any other project: SQLite, one process, the edit placed between the statements.
# Exits 0 while django-celery-beat does this, 1 once it does not.
set -eu
python=${PYTHON:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    "django-celery-beat==2.9.0" "Django==5.2.19" "celery==5.6.3"
cd "$folder"
cat > run.py <<'PYTHON'
import sys
from importlib.metadata import version

import django
from django.conf import settings
from django.core.management import call_command

settings.configure(
    INSTALLED_APPS=["django_celery_beat"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "beat.sqlite3"}},
    USE_TZ=True,
)
django.setup()
call_command("migrate", verbosity=0)

from celery import Celery
from django.db import connection
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from django_celery_beat.schedulers import ModelEntry

interval = IntervalSchedule.objects.create(every=1, period="hours")
task = PeriodicTask.objects.create(name="Report", task="report", interval=interval)
entry = next(ModelEntry(task, app=Celery("beat")))
statements = []


def edit_before_the_write(execute, sql, params, many, context):
    if sql.startswith('UPDATE "django_celery_beat_periodictask"') and not statements:
        statements.append(sql)
        PeriodicTask.objects.filter(pk=task.pk).update(description="edited", enabled=False)
    return execute(sql, params, many, context)


with connection.execute_wrapper(edit_before_the_write):
    entry.save()
task.refresh_from_db()
print(f"django-celery-beat {version('django-celery-beat')}, Django {version('Django')}")
print("columns in beat's UPDATE:", statements[0].split(" WHERE ")[0].count(" = "))
print(f"edit: description 'edited', enabled False; after beat's save: "
      f"description {task.description!r}, enabled {task.enabled}")
sys.exit(0 if (task.description, task.enabled) == ("", True) else 1)
PYTHON
"$folder/venv/bin/python" run.py
