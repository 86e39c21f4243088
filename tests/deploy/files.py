"""The files of deploy/ as data: what they start, set and expose."""

import re
from collections.abc import Iterator, Sequence
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import yaml

from project.local.env import ROOT

DEPLOY = ROOT / "deploy"
IMAGE = "registry.example.org/tandem"
VARIABLE = re.compile(r"^(?:# )?([A-Z][A-Z_]+)=(.*)$", re.MULTILINE)
"""A variable of .env.example, also one that stands there as a comment."""
SERVICES = ("web", "relay", "notify", "media", "default", "beat")


def variables(path: Path) -> dict[str, str]:
    """Return the variables that an env file sets."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return {name: value for name, _equals, value in (line.partition("=") for line in lines)}


SETTINGS = variables(DEPLOY / "settings.env")
SECRETS = variables(DEPLOY / "secrets.env.example")


def compose() -> dict[str, Any]:
    """Return the compose file, its anchors resolved."""
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return read


def kustomization() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "kustomization.yaml").read_text())
    return read


def manifests() -> list[dict[str, Any]]:
    """Return every object that `kubectl apply -k deploy` makes of a file."""
    return [
        each
        for name in kustomization()["resources"]
        for each in yaml.safe_load_all((DEPLOY / name).read_text())
    ]


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    """Return the specs of the manifests of this kind, by name without `tandem-`."""
    return {
        each["metadata"]["name"].removeprefix("tandem-"): each["spec"]
        for each in manifests()
        if each["kind"] == kind
    }


def pods() -> dict[str, dict[str, Any]]:
    """Return the specs of all pods by the name of what starts them."""
    return {
        name: spec["template"]["spec"]
        for name, spec in {**of_kind("Deployment"), **of_kind("Job")}.items()
    }


def containers() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each container of each pod, those that come before the others too."""
    for name, pod in pods().items():
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            yield name, container


def unit(path: Path) -> RawConfigParser:
    """Return a systemd unit; of a key that stands there twice the last value."""
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment]
    parser.read_string(path.read_text())
    return parser


def units() -> dict[str, RawConfigParser]:
    """Return the units of services by name without `tandem-`."""
    return {
        path.stem.removeprefix("tandem-"): unit(path)
        for path in sorted((DEPLOY / "systemd").glob("*.service"))
    }


def plain(argv: Sequence[str]) -> list[str]:
    """Return a command as docs/production.md writes it: by a program's name, without its folder."""
    words = list(argv)
    nice = []
    if words[0] == "nice":
        nice, words = words[:3], words[3:]
        nice = [] if nice == ["nice", "-n", "0"] else nice
    words[0] = "python" if re.match(r"python[\d.]*$", Path(words[0]).name) else Path(words[0]).name
    if words[1:2] == ["-W"]:  # only hides a warning
        del words[1:3]
    if words[1:2] == ["-m"]:
        del words[:2]
    if words[0] == "python":
        words[1] = Path(words[1]).name
    return nice + [word for word in words if word != "-q"]  # only hides the banner


def dockerfile() -> list[list[str]]:
    """Return the instructions of each stage, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    stages: list[list[str]] = []
    for line in lines:
        if line.startswith("FROM "):
            stages.append([])
        stages[-1].append(" ".join(line.split()))
    return stages
