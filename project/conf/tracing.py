"""OTEL_…: whether spans are sent, and what can't be meant. OpenTelemetry itself reads the rest."""

from collections.abc import Mapping
from importlib.util import find_spec

from django.core.exceptions import ImproperlyConfigured

from project.conf.urls import PERCENT, UnreadableUrlError, split_url

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", ENDPOINT)
HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PACKAGES = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


def traces_are_sent(environment: Mapping[str, str]) -> bool:
    """Tell whether an address of a collector is set, and tracing isn't switched off.

    Raises ImproperlyConfigured that names the wrong variable, or the packages that are missing.
    """
    _check_headers(environment.get(HEADERS, ""))
    given = [name for name in ENDPOINTS if environment.get(name, "")]
    for name in given:
        _check_endpoint(name, environment[name])
    is_off = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if not given or is_off or environment.get("OTEL_TRACES_EXPORTER", "otlp").strip() == "none":
        return False
    for name in PROTOCOLS:
        if environment.get(name, "").strip() not in ("", "http/protobuf"):
            raise ImproperlyConfigured(
                f"{name}: only http/protobuf is there; give the collector's port for it (4318)."
            )
    if not all(map(_is_there, PACKAGES)):
        raise ImproperlyConfigured(
            f"{given[0]} needs OpenTelemetry, which isn't installed:"
            " pip install -r requirements-opentelemetry.txt"
        )
    return True


def _check_endpoint(name: str, value: str) -> None:
    try:
        url = split_url(value.strip())
    except UnreadableUrlError:
        raise ImproperlyConfigured(f"{name} is no URL. {PERCENT}") from None
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ImproperlyConfigured(
            f"{name}: give an address like https://collector.example.org:4318"
        )


def _check_headers(value: str) -> None:
    """Refuse what OpenTelemetry would pass over with a warning: then nobody is let in."""
    if value and not all("=" in pair.strip()[1:] for pair in value.split(",")):
        raise ImproperlyConfigured(f"{HEADERS}: give NAME=VALUE, several with commas between.")


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # the package around it is missing
        return False
