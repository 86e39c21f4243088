"""The Kubernetes manifests: by Kubernetes' own schemas, and that they fit the shop."""

from collections import defaultdict
from typing import Any

import kubernetes_validate
import pytest
import yaml
from django.test import Client
from django.urls import resolve

from project import gunicorn
from project.jobs.model import job_models
from project.jobs.queryset import Status
from project.jobs.shutdown import SHUTDOWN_SECONDS
from project.local.env import ROOT
from tests.deploy.files import (
    DEPLOY,
    SERVICES,
    SETTINGS,
    containers,
    kustomization,
    manifests,
    of_kind,
    pods,
)

VERSIONS = ("1.30", "1.37")
"""The oldest that docs/deploy.md names, and the newest known."""


@pytest.mark.parametrize("version", VERSIONS)
def test_each_manifest_is_valid(version: str) -> None:
    for manifest in manifests():
        kubernetes_validate.validate(manifest, version, strict=True)


def test_control_an_unknown_key_is_refused() -> None:
    (manifest,) = [each for each in manifests() if each["metadata"]["name"] == "tandem-beat"]
    manifest["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, VERSIONS[-1], strict=True)


def test_each_file_is_applied_but_the_values_of_another_chart() -> None:
    files = {f"kubernetes/{path.name}" for path in (DEPLOY / "kubernetes").iterdir()}

    assert files - set(kustomization()["resources"]) == {"kubernetes/prometheus-adapter.yaml"}


def test_containers_may_nothing_that_they_need_not() -> None:
    for _name, container in containers():
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
    for pod in pods().values():
        assert pod["securityContext"]["runAsNonRoot"]
        # The variables of services look like misspelt ones of ours, and end every process.
        assert pod["enableServiceLinks"] is False
        assert pod["automountServiceAccountToken"] is False


def web() -> dict[str, Any]:
    container: dict[str, Any] = pods()["web"]["containers"][0]
    return container


@pytest.mark.parametrize(
    ("probe", "page"),
    [("startupProbe", "healthz"), ("livenessProbe", "healthz"), ("readinessProbe", "readyz")],
)
def test_a_probe_asks_a_page_of_a_host_that_the_shop_answers_to(probe: str, page: str) -> None:
    request = web()[probe]["httpGet"]

    assert resolve(request["path"]).url_name == page
    assert request["httpHeaders"] == [{"name": "Host", "value": SETTINGS["ALLOWED_HOSTS"]}]
    assert request["port"] in {port["name"] for port in web()["ports"]}


@pytest.mark.django_db
@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe", "readinessProbe"])
def test_a_probe_is_answered_by_plain_http_and_not_without_its_host(
    probe: str, client: Client, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = SETTINGS["ALLOWED_HOSTS"].split(",")
    settings.SECURE_SSL_REDIRECT = True
    settings.TANDEM_LOCAL = False  # a local shop may still be starting
    request = web()[probe]["httpGet"]
    host = request["httpHeaders"][0]["value"]

    assert client.get(request["path"], headers={"host": host}).status_code == 200
    assert client.get(request["path"], headers={"host": "192.0.2.7:8000"}).status_code == 400


def test_the_way_to_the_pods_has_the_shops_port_and_host() -> None:
    assert [port["containerPort"] for port in web()["ports"]] == [int(SETTINGS["PORT"])]
    (port,) = of_kind("Service")["web"]["ports"]
    assert port["targetPort"] in {each["name"] for each in web()["ports"]}
    (rule,) = of_kind("Ingress")["tandem"]["rules"]
    assert rule["host"] == SETTINGS["ALLOWED_HOSTS"]
    for path in rule["http"]["paths"]:
        resolve(path["path"])
        name = path["backend"]["service"]["name"].removeprefix("tandem-")
        assert path["backend"]["service"]["port"]["name"] in {
            each["name"] for each in of_kind("Service")[name]["ports"]
        }


def test_figures_lead_nowhere_from_outside() -> None:
    (rule,) = of_kind("Ingress")["tandem"]["rules"]
    (metrics,) = [each for each in rule["http"]["paths"] if each["path"] == "/metrics"]

    assert metrics["pathType"] == "Exact"
    assert metrics["backend"]["service"]["name"] == "tandem-nowhere"
    assert "selector" not in of_kind("Service")["nowhere"]


def test_a_stop_leaves_the_time_that_the_processes_take() -> None:
    drained = web()["lifecycle"]["preStop"]["sleep"]["seconds"]
    readiness = web()["readinessProbe"]
    noticed = readiness["periodSeconds"] * readiness["failureThreshold"]

    assert drained >= noticed
    stop = int(SETTINGS["DRAIN_SECONDS"]) + gunicorn.graceful_timeout
    assert pods()["web"]["terminationGracePeriodSeconds"] >= drained + stop + 10
    for name, pod in pods().items():
        assert pod["terminationGracePeriodSeconds"] >= max(30, SHUTDOWN_SECONDS), name


def test_there_is_one_migration_at_a_time_and_every_process_waits_for_it() -> None:
    job = of_kind("Job")["migrate"]

    assert (job["parallelism"], job["completions"], job["backoffLimit"]) == (1, 1, 0)
    assert job["podReplacementPolicy"] == "Failed"
    assert "nameSuffix" not in kustomization()  # Jobs of two names would run side by side
    for name in SERVICES:
        (waits,) = pods()[name]["initContainers"]
        assert "until python manage.py migrate --check" in waits["command"][-1]


def test_a_release_takes_no_process_away_before_its_next_one_is_there() -> None:
    for spec in of_kind("Deployment").values():
        assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
        assert spec["minReadySeconds"] > 0


def test_a_drained_node_takes_one_pod_at_a_time_and_is_never_held_up() -> None:
    budgets = of_kind("PodDisruptionBudget")

    assert budgets.keys() == set(SERVICES) - {"beat"}
    for name, budget in budgets.items():
        assert budget["maxUnavailable"] == 1
        assert budget["selector"] == of_kind("Deployment")[name]["selector"]


def test_workers_are_scaled_by_the_length_of_their_queue() -> None:
    apps_of = defaultdict(set)
    for model in job_models():
        if model.app != "webhook":  # a few go at a time, however many workers there are
            apps_of[model.queue].add(model.app)
    scaled = of_kind("HorizontalPodAutoscaler")
    adapter = yaml.safe_load((DEPLOY / "kubernetes" / "prometheus-adapter.yaml").read_text())
    (rule,) = adapter["rules"]["external"]

    assert scaled.keys() == {"web", *apps_of}
    for queue, apps in apps_of.items():
        (metric,) = scaled[queue]["metrics"]
        asked = metric["external"]["metric"]
        assert asked["name"] == rule["name"]["as"] == rule["seriesQuery"] == "tandem_jobs"
        (label,) = asked["selector"]["matchExpressions"]
        assert asked["selector"]["matchLabels"] == {"status": Status.QUEUED.value}
        assert (label["key"], label["operator"], set(label["values"])) == ("app", "In", apps)
    for name, spec in scaled.items():
        assert spec["scaleTargetRef"]["name"] == f"tandem-{name}"
        # A number in the Deployment would undo the autoscaler's at each release.
        assert "replicas" not in of_kind("Deployment")[name]


def test_the_scaled_figure_is_one_of_the_metrics_page() -> None:
    source = (ROOT / "project" / "monitoring" / "job_figures.py").read_text()

    assert 'GaugeMetricFamily("tandem_jobs", "Jobs by state", labels=["app", "status"])' in source


def test_a_media_pod_has_the_memory_of_its_processes() -> None:
    (container,) = pods()["media"]["containers"]
    processes = int(container["command"][container["command"].index("-c") + 1])
    limit = int(container["resources"]["limits"]["memory"].removesuffix("Gi")) * 1024

    assert limit >= processes * int(SETTINGS["WORKER_MEMORY_MB"])
