"""An operator at the desk in a browser, whose clicks and typed fields are counted.

docs/operating.md promises how many each task of a day takes: `Operator.task` compares.

`OPERATING_PICTURES=1` writes the pictures of that page, too.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

from project.local.env import ROOT
from tests.browser.pictures import keep_picture

GUIDE = ROOT / "docs/operating.md"
PICTURES = ROOT / "docs/images/operating"
ROW = re.compile(
    r"^\| \[(?P<task>[^]]+)\]\(#[^)]+\) \| (?P<clicks>\d+) \| (?P<fields>\d+) \|", re.M
)
PAGE_MS = 30_000
"""Milliseconds that a page may take on a busy machine."""


def promised() -> dict[str, tuple[int, int]]:
    """Return the clicks and the fields of each task, as docs/operating.md has them."""
    rows = ROW.finditer(GUIDE.read_text())
    return {row["task"]: (int(row["clicks"]), int(row["fields"])) for row in rows}


@dataclass
class Operator:
    """Clicks and types on a page as a person does; opening the page where a task begins is free."""

    page: Page
    clicks: int = 0
    fields: int = 0
    doing: str = ""

    def click(self, what: Locator) -> None:
        what.click()
        self.clicks += 1

    def fill(self, what: Locator, text: str) -> None:
        """Type a text, replacing what the field holds."""
        what.fill(text)
        self.fields += 1

    def choose(self, what: Locator, label: str) -> None:
        """Choose from a list."""
        what.select_option(label=label)
        self.fields += 1

    @contextmanager
    def task(self, name: str, *, at: str) -> Iterator[None]:
        """Do the task, which begins at this URL, in the clicks and fields that the docs promise."""
        self.page.goto(at)
        self.clicks, self.fields, self.doing = 0, 0, name
        yield
        assert (self.clicks, self.fields) == promised()[name]

    def picture(self, *, showing: Locator) -> None:
        """Keep what the operator sees as the task's picture in the docs, if asked to."""
        expect(showing).to_be_visible(timeout=PAGE_MS)
        name = "-".join(re.findall(r"\w+", self.doing.lower()))
        keep_picture(self.page, PICTURES / f"{name}.webp", switch="OPERATING_PICTURES")
