"""Packages as shopkeepers hand them in: a folder, or a zip of it."""

import csv
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from orders.imports.report import Outcome, Report


def png(colour: Any = "teal") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(file, "PNG")
    return file.getvalue()


def table(*rows: Mapping[str, str], delimiter: str = ",") -> bytes:
    """Return a CSV of these rows; their columns are all that any row has."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, columns, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


def mug(sku: str = "MUG", **changes: str) -> dict[str, str]:
    """Return a row that is fine, with `changes`; `on_sale` stands for “on sale”."""
    row = {"sku": sku, "name": f"Mug {sku}", "category": "Kitchen", "price": "12.30", "stock": "7"}
    return row | {column.replace("_", " "): text for column, text in changes.items()}


def folder_of(path: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def zipped(files: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def outcomes(report: Report) -> dict[str, Outcome]:
    return {row.sku: row.outcome for row in report.rows}


def detail(report: Report, sku: str) -> str:
    (row,) = (row for row in report.rows if row.sku == sku)
    return row.detail
