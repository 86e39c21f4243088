"""The settings of limits: what they take, and what they refuse by name."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from project.limits.rates import ORDER_LIMITS, SMS_DAILY_CAP, UNLIMITED, Rate
from project.limits.rates import order_limits as read_order_limits
from project.limits.rates import sms_caps as read_sms_caps


def test_without_a_setting_orders_and_sms_are_limited() -> None:
    assert read_order_limits("ORDER_LIMITS", "") == ORDER_LIMITS
    assert read_sms_caps("SMS_DAILY_CAP", "") == SMS_DAILY_CAP


def test_off_counts_nothing() -> None:
    assert read_order_limits("ORDER_LIMITS", "off") is None
    assert read_sms_caps("SMS_DAILY_CAP", "off") == {}


def test_a_limit_that_is_not_named_keeps_its_default() -> None:
    limits = read_order_limits("ORDER_LIMITS", "address=6/min, email=100/d,phone=off")

    assert limits == {
        **ORDER_LIMITS,
        "address": Rate(6, 60),
        "email": Rate(100, 86_400),
        "phone": UNLIMITED,
    }


@pytest.mark.parametrize(
    "value",
    [
        "60/min",
        "adress=60/min",
        "address=60",
        "address=60/m",
        "address=0/min",
        "address=-1/min",
        "address=1.5/h",
        "address=٦/min",
        "address=60/min,address=70/min",
        "address=60/min,",
        "address",
        "on",
        "OFF",
        "off,address=60/min",
        "address=9999999999/min",
    ],
)
def test_a_value_that_is_no_limit_is_refused_with_the_name_of_its_setting(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="ORDER_LIMITS"):
        read_order_limits("ORDER_LIMITS", value)


def test_a_cap_of_sms_is_a_sum_and_some_countries() -> None:
    assert read_sms_caps("SMS_DAILY_CAP", "2000, CN=500") == {
        "all": Rate(2000, 86_400),
        "CN": Rate(500, 86_400),
    }


@pytest.mark.parametrize(
    "value", ["many", "2000,cn=500", "2000,UK=50", "2000,3000", "CN", "CN=", "CN=0", "1,,2"]
)
def test_a_value_that_is_no_cap_is_refused_with_the_name_of_its_setting(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="SMS_DAILY_CAP"):
        read_sms_caps("SMS_DAILY_CAP", value)
