"""`manage.py import_products`."""

import os
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project_settings
from django.core.management import CommandError, call_command

from orders.models import Product, ProductMedia
from tests.database import this_database
from tests.orders.imports.packages import folder_of, mug, png, table

APPS = ["project", "notifications", "media_jobs", "orders"]
pytestmark = pytest.mark.django_db(transaction=True, available_apps=APPS)

# The kernel's own figure of the process: `ru_maxrss` begins with that of whoever started it.
MEASURED = """
import os, sys, pathlib
os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
import django
django.setup()
from django.core.management import call_command
call_command("import_products", sys.argv[1])
status = pathlib.Path("/proc/self/status").read_text()
print(next(line for line in status.splitlines() if line.startswith("VmHWM")))
"""
EXAMPLE = Path(project_settings.BASE_DIR) / "docs" / "examples" / "import"


@pytest.fixture(autouse=True)
def media_folder(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")


def run(folder: Path, *options: str) -> str:
    out = StringIO()
    call_command("import_products", str(folder), *options, stdout=out, stderr=out)
    return out.getvalue()


def test_the_example_in_the_docs_is_imported_as_it_is() -> None:
    printed = run(EXAMPLE)

    assert printed.split()[:2] == ["created", "2"]
    assert Product.objects.count() == 2
    assert ProductMedia.objects.count() == 3


def test_a_dry_run_says_so_and_writes_nothing() -> None:
    printed = run(EXAMPLE, "--dry-run")

    assert "nothing was written" in printed
    assert not Product.objects.exists()


def test_refused_rows_are_printed_and_make_it_fail(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "shop", {"p.csv": table(mug(), mug("BAD", price="12,30"))})
    report = tmp_path / "report.csv"
    out = StringIO()

    with pytest.raises(CommandError, match="1 rows were refused"):
        call_command("import_products", str(folder), report=report, stdout=out, stderr=out)

    assert "Row 3 (BAD): price: write “12.30” instead of “12,30”" in out.getvalue()
    assert "BAD,refused" in report.read_text(encoding="utf-8-sig")
    assert Product.objects.get().sku == "MUG"


def test_a_folder_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="isn't a folder"):
        run(tmp_path / "gone")


@pytest.mark.slow
def test_a_thousand_products_with_pictures_in_one_go(tmp_path: Path) -> None:
    pictures = {
        f"pictures/{number}.png": png((number % 256, number // 256, 7)) + bytes(200_000)
        for number in range(1000)
    }
    rows = [mug(f"SKU-{number}", pictures=f"{number}.png") for number in range(1000)]
    folder = folder_of(tmp_path / "shop", {"products.csv": table(*rows), **pictures})
    del pictures

    began = time.monotonic()
    first = subprocess.run(
        [sys.executable, "-c", MEASURED, str(folder)],
        env=os.environ
        | {"DATABASE_URL": this_database(), "MEDIA_STORAGE": str(tmp_path / "media")},
        cwd=project_settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    seconds = time.monotonic() - began
    peak = int(first.split()[-2]) * 1024
    again = run(folder)

    print(f"1,000 products: {seconds:.1f} s, {peak / 1e6:.0f} MB at most")
    assert first.split()[:2] == ["created", "1000"]
    assert "unchanged      1000" in again
    assert Product.objects.count() == ProductMedia.objects.count() == 1000
    assert peak < 200_000_000  # with Django, of 200 MB of pictures
