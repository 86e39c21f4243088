#!/bin/sh
# A process that imports django-ninja's settings carries Django's test framework.
#
# Expected: `import ninja` in a web process loads what answers requests, no test runner.
# Seen (django-ninja 1.7.1, Django 5.2.19): it imports `django.test.signals`, and with that the
#   package `django.test`: the test client, the live server, `unittest` with its runner, and Jinja2
#   where that is installed. `from django.core.signals import setting_changed` would be the same
#   signal without them.
# So relay, workers and beat import no API (project/urls.py is loaded by the web process alone),
# and the memory benchmark lists what each process holds.
#
# Runs without any other project. Exits 0 while django-ninja does this, 1 once it does not.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    "Django==5.2.19" "django-ninja==1.7.1" "Jinja2==3.1.6"
cd "$folder"
cat > loaded.py <<'PYTHON'
import sys

from django.conf import settings

settings.configure(SECRET_KEY="x" * 50)
import django.core.signals
import django.db
import django.http
import django.urls

before = set(sys.modules)
import ninja

new = set(sys.modules) - before
heavy = ("django.test.client", "django.test.testcases", "unittest.runner", "jinja2.environment")
for name in heavy:
    print(name, "loaded" if name in new else "not loaded")
from django.core.signals import setting_changed
from django.test.signals import setting_changed as same

print("the same signal:", setting_changed is same)
sys.exit(not all(name in new for name in heavy))
PYTHON
"$folder/venv/bin/python" loaded.py
