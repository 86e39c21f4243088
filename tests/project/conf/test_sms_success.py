"""SMS_SUCCESS: where an answer says yes, and what yes is."""

from typing import Any

import pytest
from django.core.checks import Error
from django.core.exceptions import ImproperlyConfigured

from notifications.checks import check_sms
from project.conf.sms_success import Success, sms_success
from tests.project.conf.production import PRODUCTION, manage


def read(value: str) -> Any:
    return sms_success("SMS_SUCCESS", value)


def test_rules_are_read_by_host() -> None:
    assert read("") == {}
    assert read("code=0|OK  Gateway.Example:messages.0.status=all%20well") == {
        "": Success(("code",), frozenset({"0", "OK"})),
        "gateway.example": Success(("messages", "0", "status"), frozenset({"all well"})),
    }


@pytest.mark.parametrize(
    "value",
    ["code", "code=", "=0", "code=0|", "code=|0", ".code=0", "a..b=0", "a=0 b=1", "h:=0", "a=0 x"],
)
def test_what_is_malformed_is_refused_by_the_variables_name(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^SMS_SUCCESS: give PATH=VALUE"):
        read(value)


@pytest.mark.parametrize(
    "answer", [None, [], {}, {"a": 1}, {"a": []}, {"a": [{}]}, {"a": [{"b": {}}]}, "a"]
)
def test_a_path_that_leads_nowhere_finds_nothing(answer: Any) -> None:
    [success] = read("a.0.b=0").values()

    with pytest.raises(LookupError):
        success.find(answer)


def test_the_start_refuses_it_in_one_line() -> None:
    checked = manage("check", **PRODUCTION, SMS_SUCCESS="code==0|")

    assert checked.returncode == 1
    assert checked.stderr.startswith("SMS_SUCCESS: give PATH=VALUE")
    assert len(checked.stderr.splitlines()) == 1


def test_a_host_that_is_not_asked_is_an_error_of_the_check(settings: Any) -> None:
    settings.SMS_URL = "https://gateway.example/sms"
    settings.SMS_SUCCESS = read("other.example:code=0")

    [error] = check_sms()

    assert isinstance(error, Error)
    assert "no http gateway other.example in SMS_URL (gateway.example)" in error.msg
    settings.SMS_SUCCESS = read("gateway.example:code=0 ok=true")
    assert check_sms() == []
