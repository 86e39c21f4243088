"""What Sentry gets of an error: real events of the real SDK, up to its transport."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from project.local.env import ROOT
from project.monitoring.sentry import HIDDEN, cleaned, secrets_of


def caught(how: str) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return the events that a failing shop would send, and the secrets amid which it failed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.project.monitoring.sentry_shop", how],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "project.settings", "SENTRY_DSN": ""},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    return told["events"], told["secrets"]


def leaked(events: list[dict[str, Any]], secrets: dict[str, str]) -> set[str]:
    text = json.dumps(events)
    return {what for what, secret in secrets.items() if secret in text}


def test_an_error_is_told_without_what_was_typed_and_without_secrets() -> None:
    events, secrets = caught("ours")

    (event,) = events
    assert leaked(events, secrets) == set()
    (error,) = event["exception"]["values"]
    assert error["type"] == "RuntimeError"
    assert error["value"].startswith(f"can't reach smtp://{HIDDEN}@mail.example with {HIDDEN} for")
    assert error["stacktrace"]["frames"][-1]["function"] == "fail"
    assert event["request"]["method"] == "POST"
    assert event["tags"]["request_id"] == "request-0001"


def test_control_by_its_defaults_the_same_error_tells_them() -> None:
    events, secrets = caught("default")

    assert leaked(events, secrets) >= {"body", "header", "query", "local", "url", "key", "row"}
    assert leaked(events, secrets) >= {"mail", "phone", "order", "log"}


def test_our_secrets_are_those_of_the_variables() -> None:
    environment = {
        "SECRET_KEY": "a-long-secret-key",
        "RECEIPT_SECRETS": "email=first-secret, sms=second-secret",
        "DATABASE_URL": "postgres://tandem:pass%2Fword@db/tandem",
        "SHOP_NAME": "Tea and Tins",
        "METRICS_TOKEN": "abc",
    }

    found = secrets_of(environment, environment)

    assert {"a-long-secret-key", "first-secret", "second-secret", "pass/word"} <= {*found}
    assert not {"Tea and Tins", "abc"} & {*found}


@pytest.mark.parametrize("text", ["2024-01-01 12:00:00", "order 1234567", "9 × 17 = 153", "a@b"])
def test_what_is_nobodys_is_left(text: str) -> None:
    assert cleaned({"message": text}, secrets=[]) == {"message": text}
