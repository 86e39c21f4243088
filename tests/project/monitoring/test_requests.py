"""The time of requests, by route."""

import re

import pytest
from django.test import Client

from project.figures.noting import page

pytestmark = pytest.mark.django_db


def requests(**labels: str) -> float:
    """Return how many requests with these labels were counted."""
    lines = [
        line
        for line in page().decode().splitlines()
        if line.startswith("tandem_request_seconds_count{")
        and all(f'{name}="{value}"' in line for name, value in labels.items())
    ]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("get", "/healthz", "healthz", "2xx"),
        ("post", "/healthz", "healthz", "4xx"),
        ("get", "/api/v1/products", "api/v1/products", "2xx"),
        ("get", "/products/no-such/", "products/<slug:slug>/", "4xx"),
        ("get", "/no/such/page", "none", "4xx"),
    ],
)
def test_a_request_counts_for_its_route_never_for_its_path(
    method: str, path: str, route: str, status: str
) -> None:
    labels = {"route": route, "method": method.upper(), "status": status}
    before = requests(**labels)

    getattr(Client(), method)(path)

    assert requests(**labels) == before + 1


def test_an_unknown_method_makes_no_series_of_its_own() -> None:
    Client().generic("BREW", "/healthz")

    assert not re.search("BREW", page().decode())
    assert requests(method="other") >= 1
