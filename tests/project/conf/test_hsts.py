"""HSTS_SECONDS, HSTS_SUBDOMAINS and HSTS_PRELOAD: what can't be is refused, the rest is sent."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.middleware.security import SecurityMiddleware
from django.test import RequestFactory

from project.conf.hsts import YEAR, require_possible_hsts
from tests.project.conf.production import read_settings


@pytest.mark.parametrize(
    ("seconds", "subdomains", "preload", "reason"),
    [
        (0, True, False, "^HSTS_SUBDOMAINS is on, but with HSTS_SECONDS=0"),
        (0, False, True, "^HSTS_PRELOAD is on, but"),
        (YEAR, False, True, "^HSTS_PRELOAD is on, but"),
        (YEAR - 1, True, True, "^HSTS_PRELOAD is on, but"),
    ],
)
def test_what_does_nothing_or_no_list_takes_is_refused(
    seconds: int, subdomains: bool, preload: bool, reason: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=reason):
        require_possible_hsts(seconds=seconds, subdomains=subdomains, preload=preload)


@pytest.mark.parametrize(
    ("values", "header"),
    [
        ({}, "max-age=3600"),
        ({"HSTS_SECONDS": "0"}, None),
        ({"HSTS_SUBDOMAINS": "on"}, "max-age=3600; includeSubDomains"),
        (
            {"HSTS_SECONDS": str(YEAR), "HSTS_SUBDOMAINS": "on", "HSTS_PRELOAD": "on"},
            "max-age=31536000; includeSubDomains; preload",
        ),
        ({"TANDEM_LOCAL": "1", "HSTS_SECONDS": "60"}, None),
    ],
)
def test_browsers_are_told_what_the_variables_say(
    values: dict[str, str],
    header: str | None,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
) -> None:
    for name, value in read_settings(monkeypatch, **values).items():
        if name.startswith("SECURE_HSTS_"):
            setattr(settings, name, value)

    request = RequestFactory().get("/", secure=True)
    answer = SecurityMiddleware(lambda _request: HttpResponse())(request)

    assert answer.headers.get("Strict-Transport-Security") == header


def test_a_shop_with_an_impossible_choice_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImproperlyConfigured, match="HSTS_PRELOAD"):
        read_settings(monkeypatch, HSTS_PRELOAD="on")
