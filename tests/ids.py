"""The ids of tests are words, and every collection finds the same (a plugin: `-p tests.ids`)."""

import re

import pytest

MAX_CHARACTERS = 100
CONTROL = r"\\(x[0189]|x7f|[nrtbfva0])"


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name a parameter by its argument where its value is no words: bytes, or control characters.

    A zip's bytes hold the time of day: processes that collect in different seconds would collect
    different tests. pytest numbers what is alike.
    """
    if isinstance(val, bytes):
        return argname
    if isinstance(val, str):
        written = val.encode("unicode_escape").decode()
        if len(written) > MAX_CHARACTERS // 2 or not _is_words(written):
            return argname
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse ids that are unreadable, untypable or different at each run."""
    unreadable = [item.nodeid for item in items if not _is_words(_parameters_of(item.nodeid))]
    if unreadable:
        raise pytest.UsageError(
            f"Give these tests an id in words, of at most {MAX_CHARACTERS} characters: "
            + ", ".join(ascii(nodeid) for nodeid in unreadable)
        )


def _parameters_of(nodeid: str) -> str:
    """Return what stands between the brackets of a test's id."""
    return nodeid.partition("[")[2].removesuffix("]")


def _is_words(text: str) -> bool:
    # pytest writes a control character as an escape, and letters of other scripts too.
    return len(text) <= MAX_CHARACTERS and text.isprintable() and not re.search(CONTROL, text)
