"""When spans are sent, and what the variables can't mean."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from project.conf import tracing
from project.conf.tracing import traces_are_sent
from project.monitoring.sentry import secrets_of

COLLECTOR = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector.example.org:4318"}


@pytest.mark.parametrize(
    ("variables", "sent"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "tea"}, False),
        (COLLECTOR, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://[fd00::1]:4318/v1/traces"}, True),
        (COLLECTOR | {"OTEL_SDK_DISABLED": "true"}, False),
        (COLLECTOR | {"OTEL_TRACES_EXPORTER": "none"}, False),
        (COLLECTOR | {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, True),
    ],
)
def test_they_are_sent_where_a_collector_is_named(variables: dict[str, str], sent: bool) -> None:
    assert traces_are_sent(variables) is sent


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://collector:4317"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "Bearer abc"),
    ],
)
def test_what_can_not_be_meant_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=name):
        traces_are_sent(COLLECTOR | {name: value})


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "PACKAGES", ("no_such_package.sdk",))

    with pytest.raises(ImproperlyConfigured, match=r"pip install -r requirements-opentelemetry"):
        traces_are_sent(COLLECTOR)


def test_what_the_collector_is_asked_with_is_a_secret() -> None:
    name = "OTEL_EXPORTER_OTLP_HEADERS"

    assert secrets_of({name: "authorization=bearer-0815"}, [name]) == [
        "authorization=bearer-0815",
        "bearer-0815",
    ]
