"""The ids by which log lines are followed."""

import logging
from typing import Any

import pytest
from django.test import Client
from structlog.contextvars import get_contextvars

from project import trail, views


@pytest.mark.parametrize("given", ["a1b2c3d4", "req:2024-01-01_07.Z", "x" * 64])
def test_a_fit_id_is_kept(given: str) -> None:
    assert trail.request_id_of(given) == given


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "a b c d e f g", "abcdefgh\n", "äöüäöüäö"]
)
def test_any_other_gets_a_new_one(given: str) -> None:
    first, second = trail.request_id_of(given), trail.request_id_of(given)

    assert first != second
    assert len(first) == 32


def test_lines_of_a_request_have_its_id_and_no_line_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str] = []

    def look() -> bool:
        seen.append(trail.request_id())
        return True

    monkeypatch.setattr(views, "is_draining", look)

    answer = Client(headers={"x-request-id": "proxy-0001"}).get("/readyz")

    assert seen == [answer["X-Request-ID"]] == ["proxy-0001"]
    assert "request_id" not in get_contextvars()


def test_ids_that_are_not_there_are_left_out() -> None:
    assert trail.ids(job_id=7, order_id=None) == {"job_id": "7"}


def test_the_trail_is_told_where_its_level_says_so(caplog: Any) -> None:
    with caplog.at_level(logging.WARNING, logger=trail.TRAIL):
        trail.tell("quiet")
    with caplog.at_level(logging.INFO, logger=trail.TRAIL):
        trail.tell("loud", orders=[1])

    assert [record.getMessage() for record in caplog.records if record.name == trail.TRAIL] == [
        "loud"
    ]
