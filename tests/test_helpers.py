"""Helpers live in helper modules: no test imports another test, or a conftest."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from project.local.env import ROOT

FIXTURES_OF_ANOTHER_FOLDER = {"tests/faults/conftest.py"}
"""Files that pass on another conftest's fixtures, which pytest finds by folder only."""


def imported_modules(source: str) -> Iterator[str]:
    """Yield the dotted names that the source imports from tests."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)


def is_test(name: str) -> bool:
    """Tell whether a dotted name leads into a test file or a conftest of ours."""
    top, *rest = name.split(".")
    return top == "tests" and any(part == "conftest" or part.startswith("test_") for part in rest)


def test_no_test_is_imported() -> None:
    found = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in Path(ROOT / "tests").rglob("*.py")
        for name in imported_modules(path.read_text())
        if is_test(name) and path.relative_to(ROOT).as_posix() not in FIXTURES_OF_ANOTHER_FOLDER
    }

    assert found == set()


@pytest.mark.parametrize(
    "source",
    [
        "from tests.orders.shop.test_cart import add",
        "from tests.orders.shop import test_cart",
        "def late():\n    import tests.notifications.conftest",
    ],
    ids=["name", "module", "late conftest"],
)
def test_control_an_imported_test_is_found(source: str) -> None:
    assert any(map(is_test, imported_modules(source)))
