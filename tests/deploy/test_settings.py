"""What deploy/ sets: known variables, all that production needs, and no secret."""

import re
import subprocess
from runpy import run_path

import pytest
from django.core.exceptions import ImproperlyConfigured

from project.local.env import ROOT, SETTING_NAMES
from tests.deploy.files import (
    DEPLOY,
    SECRETS,
    SETTINGS,
    VARIABLE,
    compose,
    containers,
    dockerfile,
    kustomization,
    unit,
    units,
)
from tests.project.conf.production import PRODUCTION

EXAMPLE = (ROOT / ".env.example").read_text()
KNOWN = dict(VARIABLE.findall(EXAMPLE))
NEEDED = EXAMPLE.partition("── Needed ──")[2].partition("── The shop ──")[0]
ENV_FILES = ["settings.env", "secrets.env"]
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())


def test_each_variable_is_one_of_the_example() -> None:
    assert SETTINGS.keys() | SECRETS.keys() <= KNOWN.keys()
    assert not SETTINGS.keys() & SECRETS.keys()


def test_all_that_production_needs_is_set_or_a_secret() -> None:
    needed = {name for name, value in VARIABLE.findall(NEEDED) if value or name == "SECRET_KEY"}

    assert {"SECRET_KEY", "DATABASE_URL", "EMAIL_URL", "SITE_URL"} <= needed
    assert needed <= SETTINGS.keys() | SECRETS.keys()


def read_settings(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name in SETTING_NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    run_path(str(ROOT / "project" / "settings.py"))


def test_a_shop_starts_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    read_settings(monkeypatch, **SETTINGS, **{name: PRODUCTION[name] for name in SECRETS})


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "CELERY_BROKER_URL", "EMAIL_URL"])
def test_control_a_missing_secret_ends_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    filled = {each: PRODUCTION[each] for each in SECRETS if each != name}

    with pytest.raises(ImproperlyConfigured, match=name):
        read_settings(monkeypatch, **SETTINGS, **filled)


def test_every_process_takes_them_from_these_files_alone() -> None:
    shop = [each for each in compose()["services"].values() if "build" in each or "init" in each]
    common = unit(DEPLOY / "systemd" / "tandem-.service.d" / "tandem.conf")
    files = re.findall(
        r"^EnvironmentFile=/etc/tandem/(.+)$",
        (DEPLOY / "systemd" / "tandem-.service.d" / "tandem.conf").read_text(),
        re.MULTILINE,
    )

    assert len(shop) == 7
    assert [each["env_file"] for each in shop] == [ENV_FILES] * 7
    assert not [each for each in shop if "environment" in each]
    for _name, container in containers():
        assert container["envFrom"] == [
            {"configMapRef": {"name": "tandem-settings"}},
            {"secretRef": {"name": "tandem-secrets"}},
        ]
        assert "env" not in container
    assert kustomization()["configMapGenerator"] == [
        {"name": "tandem-settings", "envs": [ENV_FILES[0]]}
    ]
    assert kustomization()["secretGenerator"] == [
        {"name": "tandem-secrets", "envs": [ENV_FILES[1]]}
    ]
    assert files == ENV_FILES
    assert common["Service"]["Environment"] == "PYTHONUNBUFFERED=1"
    assert not [name for name, each in units().items() if "Environment" in each["Service"]]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(DEPLOY).as_posix())
def test_no_file_has_a_secret(path) -> None:
    text = path.read_text()

    assert re.findall(r"://[^/\s]*:[^/\s]+@", text) == []
    assert re.findall(r"^[A-Z_]*(?:PASSWORD|SECRET_KEY|TOKEN)[:=] *[^\s/$\"].*", text, re.M) == []
    assert "PRIVATE KEY" not in text


def test_control_a_secret_is_found(tmp_path) -> None:
    leak = tmp_path / "leak.env"
    leak.write_text("DATABASE_URL=postgres://tandem:hunter2@db/tandem\n")

    with pytest.raises(AssertionError):
        test_no_file_has_a_secret(leak)


def test_secrets_stand_empty_and_git_leaves_their_file_out() -> None:
    assert set(SECRETS.values()) == {""}
    for name in ("deploy/secrets.env", "deploy/postgres-password", "deploy/certificates/x.pem"):
        subprocess.run(["git", "check-ignore", "--quiet", name], cwd=ROOT, check=True)


def test_the_images_key_is_made_for_its_build_alone() -> None:
    (collect,) = [line for stage in dockerfile() for line in stage if "collectstatic" in line]
    names = set(re.findall(r"\b([A-Z_]{3,})=", collect))

    assert 'SECRET_KEY="$(' in collect
    assert names <= KNOWN.keys()
    assert not [line for line in dockerfile()[-1] if "SECRET" in line]
