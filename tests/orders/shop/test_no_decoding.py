"""No page makes or reads a picture: the web process doesn't even load what could."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile

from media_jobs.assets import store_asset
from media_jobs.models import Rendition
from media_jobs.outbox import queue_renditions
from media_jobs.tasks import process
from orders.models import ProductMedia
from tests.concurrency.workers import database_url
from tests.factories import add_product
from tests.media_jobs.originals import alpha_png

pytestmark = pytest.mark.django_db(transaction=True)

VISITS = """
import os, sys
import django
django.setup()
from django.test import Client
client = Client()
for address in sys.argv[1:]:
    response = client.get(address)
    assert response.status_code == 200, (address, response.status_code)
    response.close()
{more}
print(sorted({{"pyvips", "PIL", "imageio_ffmpeg"}} & set(sys.modules)))
"""


@pytest.fixture
def pages(settings: Any, tmp_path: Path) -> list[str]:
    """Return the addresses of a shop with one picture that is made and one that isn't."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    product = add_product("MUG")
    asset = store_asset(ContentFile(alpha_png()), name="Disc")
    waiting = store_asset(ContentFile(alpha_png(200, 200)), name="Small disc")
    for shown in (asset, waiting):
        ProductMedia.objects.create(product=product, asset=shown)
        queue_renditions(shown)
    process(str(asset.jobs.get().pk))
    picture = Rendition.objects.get(name="card", format="webp").file.url
    return ["/", "/products/mug/", "/cart/", "/api/v1/products", "/api/v1/products/MUG", picture]


def loaded_by_visiting(pages: list[str], folder: Path, *, more: str = "") -> str:
    visits = subprocess.run(
        [sys.executable, "-c", VISITS.format(more=more), *pages],
        capture_output=True,
        text=True,
        timeout=100,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "project.settings",
            "DATABASE_URL": database_url(),
            "MEDIA_STORAGE": str(folder / "media"),
            "TANDEM_LOCAL": "1",
        },
    )
    assert not visits.returncode, visits.stderr
    return visits.stdout.strip()


def test_pages_api_and_pictures_load_no_decoder(pages: list[str], tmp_path: Path) -> None:
    assert loaded_by_visiting(pages, tmp_path) == "[]"


def test_control_what_makes_pictures_loads_one(pages: list[str], tmp_path: Path) -> None:
    more = "import media_jobs.processing"

    assert "pyvips" in loaded_by_visiting(pages, tmp_path, more=more)
