"""The variables of a shop in production, and its settings and manage.py with them."""

import os
import subprocess
import sys
from runpy import run_path
from typing import Any

import pytest

from project.local.env import ROOT, SETTING_NAMES, without_settings

PRODUCTION = {
    "SECRET_KEY": "$begins-like-a-proxied-variable-0123456789-abcdefghijklmnopqrstuvwxyz",
    "ALLOWED_HOSTS": "shop.example.org",
    "SITE_URL": "https://shop.example.org",
    "DATABASE_URL": "postgres://tandem:password@db.example.org/tandem?sslmode=verify-full",
    "CELERY_BROKER_URL": "redis://:password@broker.example.org:6379/0",
    "EMAIL_URL": "smtp+tls://user:password@smtp.example.org:587",
    "DEFAULT_FROM_EMAIL": "Tandem <shop@shop.example.org>",
    "MEDIA_STORAGE": "s3://key:secret@minio.example.org/media",
    "STAFF_EMAILS": "staff@shop.example.org",
}


def read_settings(monkeypatch: pytest.MonkeyPatch, **values: str) -> dict[str, Any]:
    """Return the settings of a shop in production with these variables besides."""
    for name in SETTING_NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in {**PRODUCTION, **values}.items():
        monkeypatch.setenv(name, value)
    return run_path(str(ROOT / "project" / "settings.py"))


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py with these variables, and no other settings of ours."""
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env={**without_settings(os.environ), "TANDEM_DATA": "/nowhere", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
