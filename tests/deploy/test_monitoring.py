"""The alert rules and the dashboard: of figures that are there, each alert with its page."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

import project.admission.worker
import project.monitoring.requests  # noqa: F401
from project.local.env import ROOT
from project.models import AuditRun
from project.monitoring.metrics import read_metrics
from tests.deploy.monitoring import RULES, alerts, expressions, named

RUNBOOK = ROOT / "docs" / "runbook"
SERIES = Path(__file__).parent / "alerts"
"""A file for each alert: series at which it is raised, and, as the last, some at which it isn't."""
STEPS = ("## What it means", "## Look", "## Do", "## Followed")
"""What each page has."""


def figures() -> set[str]:
    """Return the names of the page's series."""
    AuditRun.objects.create(is_clean=True)
    types = re.findall(r"^# TYPE (\w+) (\w+)$", read_metrics().decode(), re.MULTILINE)
    ends = {"histogram": ("_bucket", "_sum", "_count")}
    return {f"{name}{end}" for name, kind in types for end in ends.get(kind, ("",))}


@pytest.mark.django_db
def test_rules_and_dashboard_ask_for_figures_that_are_there() -> None:
    asked = set().union(*map(named, expressions()))

    assert len(asked) > 20
    assert asked - figures() == set()


@pytest.mark.django_db
def test_control_a_figure_that_is_not_there_is_found() -> None:
    assert named('sum(rate(tandem_no_such_total{a="tandem_up"}[5m]))') - figures() == {
        "tandem_no_such_total"
    }


@pytest.mark.django_db
def test_the_dashboard_shows_every_figure_of_ours() -> None:
    shown = set().union(*map(named, expressions()))
    ours = {name for name in figures() if name.startswith("tandem_")}
    of_histograms = re.compile("_(bucket|sum|count)$")

    assert {of_histograms.sub("", name) for name in ours if not name.endswith("_created")} == {
        of_histograms.sub("", name) for name in shown
    }


def test_each_alert_has_its_page_which_was_followed() -> None:
    pages = {rule["annotations"]["runbook"] for rule in alerts()}

    assert pages == {f"docs/runbook/{page.name}" for page in RUNBOOK.glob("*.md")}
    assert len(pages) == len(alerts())
    for rule in alerts():
        text = (ROOT / rule["annotations"]["runbook"]).read_text()
        assert text.startswith(f"# {rule['alert']}\n")
        assert [step for step in STEPS if step not in text] == []


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run Prometheus's own tool."""
    found = shutil.which("promtool") or pytest.skip("promtool (Debian: prometheus) isn't installed")
    return subprocess.run([found, *arguments], capture_output=True, text=True, check=False)


def test_prometheus_takes_the_rules() -> None:
    checked = promtool("check", "rules", RULES)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_each_alert_has_series_that_make_it_and_series_that_do_not() -> None:
    assert {path.stem for path in SERIES.glob("*.yaml")} == {rule["alert"] for rule in alerts()}
    for path in SERIES.glob("*.yaml"):
        cases = yaml.safe_load(path.read_text())["tests"]
        expected = [bool(each["exp_alerts"]) for each in cases[0]["alert_rule_test"]]
        assert True in expected, path
        assert not any(each["exp_alerts"] for each in cases[-1]["alert_rule_test"]), path


@pytest.mark.parametrize("path", sorted(SERIES.glob("*.yaml")), ids=lambda path: path.stem)
def test_prometheus_raises_the_alert_at_these_series_and_not_at_those(path: Path) -> None:
    tested = promtool("test", "rules", path)

    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.parametrize("expression", ["vector(1)", "vector(0) > 1"], ids=["always", "never"])
@pytest.mark.parametrize("path", sorted(SERIES.glob("*.yaml")), ids=lambda path: path.stem)
def test_control_a_rule_that_is_always_or_never_true_fails(
    path: Path, expression: str, tmp_path: Path
) -> None:
    rules = yaml.safe_load(RULES.read_text())
    for rule in rules["groups"][0]["rules"]:
        rule["expr"] = expression
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump(rules))
    series = yaml.safe_load(path.read_text()) | {"rule_files": ["alerts.yaml"]}
    (tmp_path / "series.yaml").write_text(yaml.safe_dump(series))

    tested = promtool("test", "rules", tmp_path / "series.yaml")

    assert tested.returncode != 0
    assert "FAILED" in tested.stdout + tested.stderr
