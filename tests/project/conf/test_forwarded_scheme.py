"""X-Forwarded-Proto is believed behind proxies of ours alone, by Django and by gunicorn."""

from typing import Any

import pytest
from django.test import RequestFactory
from gunicorn.config import Config
from gunicorn.http.parser import RequestParser

from project import gunicorn
from tests.project.conf.production import read_settings

REQUEST = b"GET / HTTP/1.1\r\nHost: shop.example.org\r\nX-Forwarded-Proto: https\r\n\r\n"
ON_THIS_MACHINE = ("127.0.0.1", 40_000)
A_SOCKET_FILE = ""


@pytest.mark.parametrize(("proxies", "is_believed"), [("0", False), ("1", True), ("2", True)])
def test_only_a_proxy_of_ours_says_that_a_request_came_by_https(
    proxies: str, is_believed: bool, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    read = read_settings(monkeypatch, TRUSTED_PROXY_COUNT=proxies)
    settings.SECURE_PROXY_SSL_HEADER = read["SECURE_PROXY_SSL_HEADER"]

    request = RequestFactory().get("/", headers={"X-Forwarded-Proto": "https"})

    assert request.is_secure() is is_believed


def scheme(config: Config, peer: Any) -> str:
    return str(next(RequestParser(config, iter([REQUEST]), peer)).scheme)


@pytest.mark.parametrize("peer", [ON_THIS_MACHINE, A_SOCKET_FILE])
def test_the_web_server_believes_no_program_on_this_machine(peer: Any) -> None:
    config = Config()
    for name in ("secure_scheme_headers", "forwarded_allow_ips"):
        config.set(name, getattr(gunicorn, name))

    assert scheme(config, peer) == "http"


@pytest.mark.parametrize("peer", [ON_THIS_MACHINE, A_SOCKET_FILE])
def test_control_by_its_own_settings_it_would(peer: Any) -> None:
    assert scheme(Config(), peer) == "https"
