#!/bin/sh
# The pages that django-ninja adds to an API by itself answer every method alike.
#
# Expected: `openapi.json` and the documentation are read with GET and HEAD; another method is
#   answered with 405 and `Allow`, as the API's own operations do.
# Seen (django-ninja 1.7.1, Django 5.2.19): PUT, PATCH, DELETE and an unknown method get the same
#   200 and body as a GET. Only the operations that the API declares answer 405.
# So orders/api/urls.py puts Django's `require_safe` around these pages, and a test walks every
# address with wrong methods.
#
# Runs without any other project. Exits 0 while django-ninja does this, 1 once it does not.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    "Django==5.2.19" "django-ninja==1.7.1"
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="x" * 50,
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["testserver"],
    INSTALLED_APPS=["ninja"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
)
django.setup()

from django.test import Client
from django.urls import path
from ninja import NinjaAPI

api = NinjaAPI()


@api.get("/hello")
def hello(request):
    return {"hello": "world"}


urlpatterns = [path("api/", api.urls)]
METHODS = ("GET", "PUT", "PATCH", "DELETE", "PURGE")


def answers(url):
    return [Client().generic(method, url).status_code for method in METHODS]


print("django-ninja 1.7.1, Django", django.get_version(), "methods", *METHODS)
found = {url: answers(url) for url in ("/api/openapi.json", "/api/docs", "/api/hello")}
for url, statuses in found.items():
    print(url, *statuses)
sys.exit(
    0
    if found
    == {
        "/api/openapi.json": [200] * 5,
        "/api/docs": [200] * 5,
        "/api/hello": [200, 405, 405, 405, 405],
    }
    else 1
)
PYTHON
