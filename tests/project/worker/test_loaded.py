"""What a worker loads, in a process of its own: no pages, no API and no desk."""

import subprocess
import sys

from project.local.env import ROOT

PAGES = ("project.urls", "ninja", "unfold.admin", "orders.admin", "django.test")
WORKER = """
from project.celery import app
import django
django.setup()
app.loader.import_default_modules()
"""


def run(code: str) -> str:
    """Run the code in a new interpreter and return what it prints."""
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return process.stdout


def loaded(code: str) -> list[str]:
    """Return which of `PAGES` the code loads."""
    return run(
        f"{code}\nimport sys\nprint(*[each for each in {PAGES} if each in sys.modules])"
    ).split()


def test_a_worker_loads_no_pages() -> None:
    assert loaded(WORKER) == []


def test_the_web_process_loads_them_all() -> None:
    assert loaded("import project.wsgi") == list(PAGES), "the control"


def test_a_worker_finds_the_list_that_it_exports() -> None:
    asked = "from project.desk.export_list import export_list\nprint(export_list('orders.order'))"
    assert "OrderAdmin" in run(f"{WORKER}\n{asked}")
