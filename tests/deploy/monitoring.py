"""The alert rules and the dashboard's panels: what they are called, and what they ask for."""

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from tests.deploy.files import DEPLOY

RULES = DEPLOY / "monitoring" / "alerts.yaml"
DASHBOARD = DEPLOY / "monitoring" / "grafana-dashboard.json"


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in alerts())
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def named(expression: str) -> set[str]:
    return set(re.findall(r"\btandem_\w+", re.sub(r'"[^"]*"', "", expression)))
