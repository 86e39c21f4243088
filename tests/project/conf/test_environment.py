"""A wrong variable is refused in one line that names it, before anything starts."""

import re
import shlex
import subprocess
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import unquote

import pytest
from django.core.exceptions import ImproperlyConfigured

from project.conf import environment as variables
from project.local.env import ROOT, SETTING_NAMES
from tests.project.conf.production import PRODUCTION, manage

VARIABLE = re.compile(r"^(?:# )?([A-Z][A-Z_]+)=(.*)$", re.MULTILINE)


def test_every_variable_of_the_example_tells_one_shop_from_another() -> None:
    named = dict(VARIABLE.findall((ROOT / ".env.example").read_text()))

    assert set(named) == set(SETTING_NAMES)


def test_the_example_works_once_its_secret_is_filled_in(tmp_path: Path) -> None:
    example = dict(VARIABLE.findall((ROOT / ".env.example").read_text()))
    del example["TANDEM_LOCAL"]
    own = {"SECRET_KEY": PRODUCTION["SECRET_KEY"], "MEDIA_STORAGE": str(tmp_path / "media")}

    checked = manage("check", "--deploy", **{**example, **own})

    assert checked.returncode == 0, checked.stderr
    assert "no issues" in checked.stdout


def test_a_shell_can_read_the_example() -> None:
    read = ["sh", "-euc", f". {shlex.quote(str(ROOT / '.env.example'))}; echo $DEFAULT_FROM_EMAIL"]

    assert subprocess.check_output(read, text=True) == "shop@shop.example.org\n"


def test_what_the_database_address_asks_for_reaches_its_connections() -> None:
    asked = "from django.db import connections as c;"
    names = ("default", "writer", "performance")
    asked += f"print([c[n].get_connection_params()['sslmode'] for n in {names}])"

    shown = manage("shell", "-v0", "-c", asked, **PRODUCTION)

    assert "['verify-full', 'verify-full', 'verify-full']" in shown.stdout, shown.stderr


def test_a_wrong_value_is_refused_in_one_line() -> None:
    checked = manage("check", **{**PRODUCTION, "EMAIL_URL": "smtp://user:pass-word@host:mail"})

    assert checked.returncode == 1
    assert re.fullmatch(r"EMAIL_URL: give smtp://.*\n", checked.stderr)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SITE_URL", "http://shop.example.org"),
        ("ALLOWED_HOSTS", "www.example.org"),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", "*,shop.example.org"),
        ("STAFF_EMAILS", ""),
        ("WORKER_MEMORY_MB", "64"),
        ("MAX_UPLOADS_PER_HOUR", "0"),
    ],
)
def test_what_no_shop_could_run_with_is_refused_at_the_start(name: str, value: str) -> None:
    checked = manage("check", **{**PRODUCTION, name: value})

    assert checked.returncode == 1
    assert re.fullmatch(rf"{name} .*\n", checked.stderr)


def test_a_misspelt_variable_is_refused_in_production() -> None:
    checked = manage("check", **{**PRODUCTION, "SHOP_COUNTY": "AT"})

    assert checked.returncode == 1
    assert checked.stderr.startswith(
        "SHOP_COUNTY isn't a variable of Tandem: did you mean SHOP_COUNTRY?"
    )


def test_a_local_run_only_warns_of_a_misspelt_variable() -> None:
    checked = manage("check", **{**PRODUCTION, "SHOP_COUNTY": "AT", "TANDEM_LOCAL": "1"})

    assert checked.returncode == 0
    assert "(project.W001) SHOP_COUNTY isn't a variable of Tandem" in checked.stderr


def test_a_command_without_a_shop_says_what_to_start() -> None:
    done = manage("audit")

    assert done.returncode == 1
    assert done.stderr == "SECRET_KEY is not set: start bin/up first, or see .env.example.\n"


def test_the_refusal_of_a_broken_sentry_address_names_it() -> None:
    checked = manage("check", **{**PRODUCTION, "SENTRY_DSN": "nonsense"})

    assert checked.stderr == "SENTRY_DSN: give the address that Sentry shows.\n"


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (variables.needed, ""),
        (variables.site, "shop.example.org"),
        (variables.site, "https://shop.example.org:door"),
        (variables.site, "https://shop.example.org/tea"),
        (variables.site, "https://shop.example.org/with space"),
        (variables.site, "https://shop example.org"),
        (variables.site, "https://straße.example"),
        (variables.database, ""),
        (variables.database, "nonsense"),
        (variables.database, "mysql://tandem:pass-word@db/tandem"),
        (variables.database, "postgres://tandem:pass-word@db.example.org"),
        (variables.database, "postgres://tandem:pass-word#1@db.example.org/tandem"),
        (variables.broker, "broker.example.org:6379"),
        (variables.broker, "http://:pass-word@broker.example.org:6379"),
        (variables.email, "nonsense"),
        (variables.email, "smtp://"),
        (variables.email, "smtp://user:pass-word@:587"),
        (variables.email, "smtps://user:pass-word@smtp.example.org"),
        (partial(variables.cache, default=""), "nonsense"),
        (partial(variables.cache, default=""), "redis://:pass-word@cache.example.org:first"),
        (variables.email, "smtp://user:pass-word@smtp.example.org:mail"),
        (partial(variables.time_zone, default="UTC"), "Mars/Base"),
        (partial(variables.time_zone, default="UTC"), "../UTC"),
        (partial(variables.country, default="DE"), "XX"),
        (partial(variables.currency, default="EUR"), "euro"),
        (partial(variables.currency, default="EUR"), "JPY"),
        (partial(variables.currency, default="EUR"), "KWD"),
        (variables.pairs, "email:pass-word"),
        (variables.addresses, "ada@example.org, bob"),
        (variables.program, "/nowhere/ffmpeg"),
        (partial(variables.result_backend, default=""), "nonsense"),
        (partial(variables.result_backend, default=""), "mail://:pass-word@host"),
        (variables.pairs, "email=one,=pass-word"),
        (variables.switch, "maybe"),
        (partial(variables.whole_number, default=5), "few"),
        (partial(variables.whole_number, default=5), "-1"),
        (partial(variables.whole_number, default=5), "1.5"),
        (partial(variables.whole_number, default=5, least=1), "0"),
    ],
)
def test_a_refusal_names_the_variable_and_tells_no_secret(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[str], object], value: str
) -> None:
    monkeypatch.setenv("THE_VARIABLE", value)

    with pytest.raises(ImproperlyConfigured, match=r"^THE_VARIABLE") as refusal:
        read("THE_VARIABLE")

    assert "pass-word" not in "".join(traceback.format_exception(refusal.value))


ODD = ["Xq/Zw", "Xq#Zw", "Xq?Zw", "Xq[Zw", "Xq]Zw", "12/Zw", "12#Zw", "12?Zw", "Xq\u2100Zw"]
"""Passwords whose URL can't be read, or only with a part of them as host, port or path."""


@pytest.mark.parametrize("password", ODD)
@pytest.mark.parametrize(
    ("read", "address"),
    [
        (variables.database, "postgres://shop:{}@db.example.org:5432/tandem"),
        (variables.broker, "redis://:{}@broker.example.org:6379/0"),
        (variables.broker, "amqp://u:p@one:5672//;amqp://shop:{}@two:5672//"),
        (variables.email, "smtp+tls://shop:{}@smtp.example.org:587"),
        (partial(variables.result_backend, default=""), "redis://:{}@host:6379/1"),
        (partial(variables.result_backend, default=""), "db+postgresql://u:{}@host/name"),
        (variables.sentry, "https://{}@o1.ingest.example.org/1"),
        (variables.site, "https://shop:{}@shop.example.org"),
    ],
)
def test_no_part_of_an_odd_password_is_told(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[str], object], address: str, password: str
) -> None:
    monkeypatch.setenv("THE_VARIABLE", address.format(password))

    with pytest.raises(ImproperlyConfigured, match=r"^THE_VARIABLE") as refusal:
        read("THE_VARIABLE")

    assert not [part for part in ("Xq", "Zw", "12/", "12#", "'12") if part in str(refusal.value)]
    assert refusal.value.__suppress_context__
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("password", ["a%2Fb%23c%40d%25", "a@b", "a b", "a%b", "pässword"])
def test_a_password_that_can_be_read_is_taken(
    monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    monkeypatch.setenv("THE_VARIABLE", f"postgres://shop:{password}@db.example.org/tandem")

    read = variables.database("THE_VARIABLE")

    assert (read["PASSWORD"], read["HOST"]) == (unquote(password), "db.example.org")


def test_a_mail_password_that_smtp_can_not_send_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_URL", "smtp://shop:p\xe4ss@smtp.example.org:587")

    with pytest.raises(ImproperlyConfigured, match=r"^EMAIL_URL: give smtp"):
        variables.email("EMAIL_URL")


@pytest.mark.parametrize(
    "address", ["mongodb://u:p@one:27017,two:27017/db", "sentinel://one:26379;sentinel://two:26379"]
)
def test_an_address_of_several_hosts_is_read(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("THE_VARIABLE", address)

    read = variables.result_backend if address.startswith("mongodb") else _broker

    assert read("THE_VARIABLE", "") == address


def _broker(name: str, _default: str) -> str:
    return variables.broker(name)


def test_a_number_that_is_too_large_is_told_the_largest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_VARIABLE", "1000000000")

    with pytest.raises(ImproperlyConfigured, match="from 1 to 999999999"):
        variables.whole_number("THE_VARIABLE", 5, least=1)


@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_variable_does_not_quietly_become_its_default(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("THE_VARIABLE", value)

    for read in (
        partial(variables.whole_number, default=5),
        partial(variables.text, default="django-db"),
        partial(variables.several, default="*"),
        variables.switch,
    ):
        with pytest.raises(ImproperlyConfigured, match=r"^THE_VARIABLE is empty: give it a value"):
            read("THE_VARIABLE")


def test_one_without_a_default_may_be_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_VARIABLE", "")
    assert variables.text("THE_VARIABLE") == ""

    monkeypatch.setenv("THE_VARIABLE", "  ")
    with pytest.raises(ImproperlyConfigured, match=r"^THE_VARIABLE has blanks only"):
        variables.text("THE_VARIABLE")


def test_celery_s_own_result_backends_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("django-db", "rpc://", "db+postgresql://u:p@host/name", "mongodb://host/name"):
        monkeypatch.setenv("CELERY_RESULT_BACKEND", value)

        assert variables.result_backend("CELERY_RESULT_BACKEND", "django-db") == value


def test_addresses_and_a_program_are_taken_as_they_are_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STAFF_EMAILS", "ada@example.org, bob@example.org")
    monkeypatch.setenv("FFMPEG_BINARY", "sh")

    assert variables.addresses("STAFF_EMAILS") == ["ada@example.org", "bob@example.org"]
    assert variables.program("FFMPEG_BINARY") == "sh"
    assert variables.program("NOT_SET") == ""


def test_a_secret_may_hold_an_equals_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECEIPT_SECRETS", "email=c2VjcmV0==, sms=other")

    assert variables.pairs("RECEIPT_SECRETS") == {"email": "c2VjcmV0==", "sms": "other"}


def test_a_cluster_of_brokers_is_one_address(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = "amqp://u:p@one:5672//;amqp://u:p@two:5672//"
    monkeypatch.setenv("CELERY_BROKER_URL", cluster)

    assert variables.broker("CELERY_BROKER_URL") == cluster


@pytest.mark.parametrize(
    "value",
    [
        "shop@shop.example.org",
        "Tandem <shop@shop.example.org>",
        '"Tea, Tins & More" <shop@shop.example.org>',
        "茶叶店 <shop@shop.example.org>",
        "=?utf-8?b?6Iy25Y+25bqX?= <shop@localhost>",
    ],
)
def test_messages_come_from_an_address_with_or_without_a_name(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("DEFAULT_FROM_EMAIL", value)

    assert variables.sender("DEFAULT_FROM_EMAIL", "") == value


@pytest.mark.parametrize(
    "value",
    [
        "shop",
        "Tandem",
        "shop@",
        "Tandem <shop>",
        "Tandem <shop@shop.example.org",
        "Tea, Tins <shop@shop.example.org>",
        "a@example.org, b@example.org",
        "Tandem <shop@shop.example.org>\nBcc: x@example.org",
        "grüße@shop.example.org",
        "shop@shop..example.org",
        "Tandem <shop@exa mple.org>",
        "<>",
    ],
)
def test_a_sender_that_no_mail_server_takes_is_refused_by_the_variables_name(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("DEFAULT_FROM_EMAIL", value)

    with pytest.raises(ImproperlyConfigured, match=r"^DEFAULT_FROM_EMAIL: give shop@"):
        variables.sender("DEFAULT_FROM_EMAIL", "")
