"""No name, finding or error of a gateway has a part of its URL's secrets."""

import re
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest

from notifications.channels.deadline import Deadline
from notifications.channels.message import ProviderDownError
from notifications.checks import check_sms
from notifications.delivery.gateways import Gateway, gateways
from project.jobs.errors import JobError, PermanentError

MESSAGE: Any = SimpleNamespace(id="1")
ODD = ["s3/cr3t", "s3#cr3t", "s3?cr3t", "12/s3cr3t", "12#s3cr3t", "12?s3cr3t", "s3[cr3t", "s3]cr3t"]
"""Passwords that are not percent-encoded: their URLs can't be read, or only wrongly."""


def told() -> str:
    """The names of the gateways and what the check finds."""
    return " ".join(
        [*(gateway.name for gateway in gateways("sms")), *(said.msg for said in check_sms())]
    )


@pytest.mark.parametrize("password", [*ODD, "s3\u2100cr3t", "cr3t s3://cr3t"])
@pytest.mark.parametrize(
    "address", ["https://shop:{}@gateway.example/sms", "aliyun://id:{}@host?sign=x"]
)
def test_a_url_with_an_odd_password_is_named_and_reported_without_any_part_of_it(
    settings, address, password
) -> None:
    settings.SMS_URL = address.format(password)

    assert "SMS_URL" in told()
    assert not re.search("s3|cr3t|12", told())


@pytest.mark.parametrize(
    "url", ["apprise+twilio:/sid:s3cr3t@+1555/{to}", "apprise+s3cr3t", "s3cr3t"]
)
def test_what_is_no_url_is_not_shown_either(settings, url) -> None:
    settings.SMS_URL = url

    assert "s3cr3t" not in told()


@pytest.mark.parametrize("error", [ValueError, PermanentError, ProviderDownError])
@pytest.mark.parametrize(
    "url",
    [
        "https://shop:s3%2Fcr3t@gateway.example/sms",
        "https://gateway.example/sms?api_key=s3%2Fcr3t",
        "apprise+telegram://s3%2Fcr3t-token/{to}",
    ],
)
def test_no_words_of_a_gateway_quote_its_url(settings, monkeypatch, caplog, url, error) -> None:
    settings.SMS_URL = url
    (gateway,) = gateways("sms")

    def send(*_message: Any, **_options: Any) -> None:
        raise error(f"no luck with {url} or {unquote(url)}")

    monkeypatch.setattr(Gateway, "channel_module", lambda _gateway: SimpleNamespace(send=send))

    with pytest.raises(JobError) as raised:
        gateway.send(MESSAGE, deadline=Deadline(1))

    assert "no luck" in str(raised.value)
    assert "cr3t" not in f"{raised.value} {caplog.text}"


def test_an_error_that_nobody_foresaw_keeps_its_cause_out_of_the_traceback(
    settings, monkeypatch
) -> None:
    settings.SMS_URL = "https://shop:s3cr3t@gateway.example/sms"
    (gateway,) = gateways("sms")
    monkeypatch.setattr(Gateway, "channel_module", lambda _gateway: 1 / 0)

    with pytest.raises(JobError) as raised:
        gateway.send(MESSAGE, deadline=Deadline(1))

    assert raised.value.__suppress_context__
