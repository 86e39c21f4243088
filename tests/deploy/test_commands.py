"""Each way to run Tandem starts the commands of docs/production.md, `bin/up` too."""

import json
import re
import shlex

import pytest

from project.local.env import ROOT
from project.local.shop import WEB, WORKERS
from tests.deploy.files import SERVICES, compose, dockerfile, of_kind, plain, units

Commands = dict[str, list[str]]


def documented() -> Commands:
    page = (ROOT / "docs" / "production.md").read_text().partition("## The processes")[2]
    rows = re.findall(r"^\| [^|]+ \| `([^`]+)` \|", page.partition("\n## ")[0], re.MULTILINE)
    return dict(zip(SERVICES, map(shlex.split, rows), strict=True))


def of_bin_up() -> Commands:
    return {"web": plain(WEB), **{each.name: plain(each.argv) for each in WORKERS}}


def of_compose() -> Commands:
    return {name: compose()["services"][name]["command"] for name in SERVICES}


def of_kubernetes() -> Commands:
    return {
        name: spec["template"]["spec"]["containers"][0]["command"]
        for name, spec in of_kind("Deployment").items()
    }


def of_systemd() -> Commands:
    found = {}
    for name, unit in units().items():
        service = unit["Service"]
        nice = ["nice", "-n", service["Nice"]] if "Nice" in service else []
        # systemd reads %h as a home folder, and %% as %.
        words = shlex.split(service["ExecStart"].replace("%h", "/root").replace("%/root", "%h"))
        found[name] = nice + plain(words)
    return {name: found[name] for name in SERVICES}


@pytest.mark.parametrize("started", [of_bin_up, of_compose, of_kubernetes, of_systemd])
def test_the_processes_are_those_of_the_documentation(started) -> None:
    assert started() == documented()


def test_the_image_starts_a_web_process() -> None:
    (command,) = [line for line in dockerfile()[-1] if line.startswith("CMD ")]

    assert json.loads(command.removeprefix("CMD ")) == documented()["web"]


def test_each_way_migrates_by_the_documented_command() -> None:
    migrate = "python manage.py migrate"

    assert f"`{migrate}`" in (ROOT / "docs" / "production.md").read_text()
    assert compose()["services"]["migrate"]["command"] == shlex.split(migrate)
    (container,) = of_kind("Job")["migrate"]["template"]["spec"]["containers"]
    assert container["command"] == shlex.split(migrate)
    assert plain(units()["migrate"]["Service"]["ExecStart"].split()) == shlex.split(migrate)


def test_only_what_is_documented_is_started() -> None:
    assert of_kind("Deployment").keys() == set(SERVICES)
    assert units().keys() == {*SERVICES, "migrate"}
    assert compose()["services"].keys() == {*SERVICES, "migrate", "proxy", "postgres", "broker"}
