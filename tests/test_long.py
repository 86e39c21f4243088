"""The list of long modules: what it names is there, and is what `bin/test` leaves out."""

import pytest

from project.local.env import ROOT
from tests.long import LONG, mark_long


def test_each_named_module_is_there() -> None:
    assert [name for name in sorted(LONG) if not (ROOT / name).is_file()] == []


def test_the_tests_of_a_named_module_are_marked_and_no_others(
    request: pytest.FixtureRequest,
) -> None:
    here = request.node

    mark_long([here], modules=frozenset({"tests/test_docs.py"}))
    assert here.get_closest_marker("long") is None

    mark_long([here], modules=frozenset({"tests/test_long.py"}))
    assert here.get_closest_marker("long") is not None
