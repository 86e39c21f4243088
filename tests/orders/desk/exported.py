"""Exports as a spreadsheet opens them."""

import csv
import io
from typing import Any

from django.test import Client

from project.desk.spreadsheets import BOM


def exported(client: Client, path: str, **query: Any) -> list[list[str]]:
    """Return the rows of a list's export, the header first."""
    answer = client.get(f"/admin/{path}", query)
    assert answer.status_code == 200, answer.content
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith(BOM)
    return list(csv.reader(io.StringIO(text.removeprefix(BOM), newline="")))


def column(rows: list[list[str]], label: str) -> list[str]:
    """Return the cells of one column, below its header."""
    at = rows[0].index(label)
    return [row[at] for row in rows[1:]]
