"""Sets papers as PDF, by Typst and our own fonts. Loaded in the workers only."""

import io
import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import typst
from pypdf import PdfWriter

from media_jobs.lettering import FONTS

HERE = Path(__file__).parent
LAYOUT = HERE / "paper.typ"
MOST_ROWS = 100
"""Rows of one compilation. Typst's memory grows with the pages (500 short slips in one: 800 MB)."""


def pdf_of(
    documents: Sequence[dict[str, Any]], *, created: int | None = None, is_tagged: bool = True
) -> bytes:
    """Return the documents of `words` as one PDF, each on pages of its own.

    `created` is the time in the PDF, in seconds of the epoch: with it, the same documents give the
    same bytes. `is_tagged` is for screen readers; prints of many orders need no tags.
    """
    # A compiler of its own for each call: one can't be used by two threads.
    compiler = typst.Compiler(root=HERE, font_paths=_fonts())
    content = compiler.compile(
        input=LAYOUT,
        format="pdf",
        sys_inputs={"documents": json.dumps(documents)},
        timestamp=created,
        pdf_tags=is_tagged,
    )
    assert isinstance(content, bytes)
    return content


def batches(documents: Iterable[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    """Yield documents of together at most MOST_ROWS rows, or one longer document."""
    batch: list[dict[str, Any]] = []
    rows = 0
    for document in documents:
        # A page has a head even without rows.
        weight = 10 + len(document["rows"])
        if batch and rows + weight > MOST_ROWS:
            yield batch
            batch, rows = [], 0
        batch.append(document)
        rows += weight
    if batch:
        yield batch


class Binder:
    """Binds PDFs into one file."""

    def __init__(self) -> None:
        self._writer = PdfWriter()

    def add(self, content: bytes) -> None:
        self._writer.append(io.BytesIO(content), import_outline=False)

    def write(self, path: Path) -> None:
        self._writer.write(path)


@cache
def _fonts() -> typst.Fonts:
    """Read our fonts once a process; those of the machine would look different elsewhere."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS])
