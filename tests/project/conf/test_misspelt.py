"""Names that are nearly ours, and those that only look so."""

import pytest

from project.conf.misspelt import distance, misspelt
from project.local.env import SETTING_NAMES


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SHOP_COUNTY", "SHOP_COUNTRY"),
        ("SHOP_CURENCY", "SHOP_CURRENCY"),
        ("ALLOWED_HOST", "ALLOWED_HOSTS"),
        ("STAFF_EMAIL", "STAFF_EMAILS"),
        ("SITE_URI", "SITE_URL"),
        ("TIMEZONE", "TIME_ZONE"),
        ("MEDIA_STROAGE", "MEDIA_STORAGE"),
        ("shop_country", "SHOP_COUNTRY"),
        ("DATABSE_ULR", "DATABASE_URL"),
    ],
)
def test_a_slip_is_found_with_what_was_meant(name: str, meant: str) -> None:
    assert misspelt({name: "x"}, SETTING_NAMES) == {name: meant}


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "PORTS", "SPORT", "DEBUGS", "CMS_URL", "SMTP_URL", "AWS_REGION", "HOSTNAME"),
        *("DATABASE_HOST", "REDIS_URL", "SECRET_TOKEN", "PYTHONPATH", "DJANGO_SETTINGS_MODULE"),
        *("TANDEM_WEB_PROCESS", "MAILBOX_HTTP_PORT", "TEST_AMQP_URL", "KUBERNETES_PORT"),
        *("LC_ALL", "TIME_STYLE"),
    ],
)
def test_other_programs_variables_are_left_alone(name: str) -> None:
    assert misspelt({name: "x"}, SETTING_NAMES) == {}


def test_a_near_name_is_another_programs_while_ours_is_set() -> None:
    both = {"DATABASE_URI": "x", "DATABASE_URL": "postgres://host/name"}

    assert misspelt(both, SETTING_NAMES) == {}


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [
        ("AB", "AB", 0),
        ("AB", "A", 1),
        ("A", "AB", 1),
        ("AB", "AC", 1),
        ("AB", "BA", 1),
        ("", "A", 1),
    ],
)
def test_slips_are_counted(one: str, other: str, slips: int) -> None:
    assert distance(one, other) == slips
