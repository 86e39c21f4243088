#!/usr/bin/env bash
# django-axes 8.3.1 with Django 5.2: the admin action "Clean up expired attempts".
#
# Expected: the action of axes' own AccessAttemptAdmin deletes attempts older than
#   AXES_COOLOFF_TIME, as `axes.handlers` does it after a failed login.
# Seen: it raises AttributeError: the request has no `axes_attempt_time`. Only axes' own log-in
#   signals set that attribute; `get_cool_off_threshold(request)` reads it of any request, and the
#   admin hands over its own. Without a request the same function fails too (None).
#   With AXES_USE_ATTEMPT_EXPIRATION on, the action works.
# Exits 1 if the action works one day, or fails otherwise.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "django==5.2.*" "django-axes==8.3.1"
cd "$folder"
cat > try.py <<'PYTHON'
import sys
from datetime import timedelta

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="x",
    ALLOWED_HOSTS=["*"],
    USE_TZ=True,
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[
        "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
        "django.contrib.sessions", "django.contrib.messages", "axes",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "axes.middleware.AxesMiddleware",
    ],
    AUTHENTICATION_BACKENDS=[
        "axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend",
    ],
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
        "OPTIONS": {"context_processors": [
            "django.template.context_processors.request",
            "django.contrib.auth.context_processors.auth",
            "django.contrib.messages.context_processors.messages",
        ]},
    }],
    AXES_COOLOFF_TIME=1,
)
django.setup()

import axes
from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import path
from django.utils import timezone
from importlib.metadata import version

urlpatterns = [path("admin/", admin.site.urls)]
call_command("migrate", verbosity=0)
old = AccessAttempt.objects.create(
    username="ada", ip_address="192.0.2.1", failures_since_start=3, get_data="", post_data=""
)
AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(hours=2))
client = Client()
client.force_login(
    User.objects.create_superuser("boss"), backend="django.contrib.auth.backends.ModelBackend"
)
print("Django", django.__version__, "· django-axes", version("django-axes"))
try:
    answer = client.post(
        "/admin/axes/accessattempt/",
        {"action": "cleanup_expired_attempts", "_selected_action": str(old.pk)},
    )
except AttributeError as error:
    print("AttributeError:", error)
    sys.exit(0 if "axes_attempt_time" in str(error) else 1)
print("answered", answer.status_code, "· attempts left:", AccessAttempt.objects.count())
sys.exit(1)
PYTHON
"$folder/venv/bin/python" try.py
