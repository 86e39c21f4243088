"""The compose file: by its schema, and that it fits the shop."""

import re
import subprocess
import sys

from django.urls import resolve

from project.local.env import ROOT
from tests.deploy.files import DEPLOY, SERVICES, SETTINGS, compose

SCHEMA = ["--builtin-schema", "vendor.compose-spec"]


def check(path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *SCHEMA, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_is_valid_by_the_schema_of_compose_files() -> None:
    assert check(DEPLOY / "compose.yaml").returncode == 0


def test_control_an_unknown_key_is_refused(tmp_path) -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    (tmp_path / "compose.yaml").write_text(text.replace("healthcheck:", "healtcheck:"))

    assert check(tmp_path / "compose.yaml").returncode == 1


def test_every_process_waits_for_the_migrations_and_may_stop_slowly() -> None:
    for name in SERVICES:
        service = compose()["services"][name]
        assert service["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
        assert int(service["stop_grace_period"].removesuffix("s")) >= 30
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]


def test_the_check_of_web_asks_a_page_that_exists_at_the_shops_port() -> None:
    (port, path) = re.findall(
        r"http://127\.0\.0\.1:(\d+)(/\w+)", str(compose()["services"]["web"]["healthcheck"])
    )[0]

    assert port == SETTINGS["PORT"]
    assert resolve(path).url_name == "healthz"


def test_only_the_proxy_is_reached_from_outside() -> None:
    assert [name for name, each in compose()["services"].items() if "ports" in each] == ["proxy"]


def test_postgresql_has_the_settings_of_the_documentation() -> None:
    page = (ROOT / "docs" / "production.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|/]+?)(?: /[^|]*)? \|$", page, re.MULTILINE)
    # The smaller of two, and its unit: `15 to 30 min`.
    documented = {name: re.sub(r" to \d+", "", value) for name, value in rows}
    given = dict(
        word.removeprefix("-c").split("=")
        for word in compose()["services"]["postgres"]["command"][1:]
    )

    assert {name: documented[name].strip("`").replace(" ", "") for name in given} == given
    assert given.keys() == documented.keys()
