#!/bin/sh
# Behind Django's GZipMiddleware, WhiteNoise never answers 304 to a browser.
#
# Expected: a static file that the browser has is not sent again: If-None-Match with the ETag of the
#   answer before gives 304, as it does without compression.
# Seen (WhiteNoise 6.12.0, Django 5.2.19): GZipMiddleware makes the ETag of what it compresses weak
#   (W/"…"), as RFC 9110 wants. WhiteNoise compares the text of If-None-Match with its own strong
#   ETag, so the weak one never matches; and as If-None-Match goes first, If-Modified-Since, which
#   would match, isn't looked at. Each visit gets the whole file with 200.
# So project/compression.py takes the ETag out of compressed static files: their time is enough.
#
# Runs without any other project. Exits 0 while they do this, 1 once they do not.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    "Django==5.2.19" "whitenoise==6.12.0"
cd "$folder"
mkdir static
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version
from pathlib import Path

import django
from django.conf import settings

Path("static/a.css").write_text("p { color: black }\n" * 200)
WHITENOISE = "whitenoise.middleware.WhiteNoiseMiddleware"
GZIP = "django.middleware.gzip.GZipMiddleware"
settings.configure(
    SECRET_KEY="x" * 50,
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["testserver"],
    STATIC_URL="/static/",
    STATIC_ROOT="static",
    MIDDLEWARE=[WHITENOISE],
)
django.setup()

from django.test import Client, override_settings

urlpatterns = []


def second_visit(*middleware):
    """Return the ETag of a first visit, and the status of a second one that sends it back."""
    with override_settings(MIDDLEWARE=middleware):
        client = Client(headers={"accept-encoding": "gzip"})
        first = client.get("/static/a.css")
        again = client.get(
            "/static/a.css",
            headers={
                "if-none-match": first["ETag"],
                "if-modified-since": first["Last-Modified"],
            },
        )
        return first["ETag"], first.headers.get("Content-Encoding", "-"), again.status_code


print("WhiteNoise", version("whitenoise"), "Django", django.get_version())
plain, compressed = second_visit(WHITENOISE), second_visit(GZIP, WHITENOISE)
print("WhiteNoise alone:", *plain)
print("behind GZipMiddleware:", *compressed)
weak = compressed[0] == f"W/{plain[0]}"
sys.exit(0 if plain[2] == 304 and weak and compressed[1:] == ("gzip", 200) else 1)
PYTHON
