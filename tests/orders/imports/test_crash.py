"""kill -9 in the middle of an import: the next claim ends with what an undisturbed one leaves."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery.exceptions import Ignore
from django.core.files.base import ContentFile
from django.db.models.functions import Now

from media_jobs.models import Asset, MediaJob
from orders import tasks
from orders.desk_jobs.kinds import IMPORT_PRODUCTS
from orders.desk_jobs.queue import queue_desk_job
from orders.models import Category, DeskJob, Product, ProductMedia, Stock
from project.jobs.queryset import Status
from tests.database import this_database
from tests.orders.imports.packages import mug, png, table, zipped

APPS = ["project", "notifications", "media_jobs", "orders"]
pytestmark = pytest.mark.django_db(transaction=True, available_apps=APPS)


def state() -> dict[str, Any]:
    return {
        "products": list(
            Product.objects.order_by("sku").values_list("sku", "slug", "price", "stock__available")
        ),
        "pictures": list(
            ProductMedia.objects.order_by("product__sku", "position").values_list(
                "product__sku", "asset__name", "alt", "position"
            )
        ),
        "counted": [
            model.objects.count() for model in (Asset, Category, Stock, ProductMedia, MediaJob)
        ],
    }


def test_an_import_killed_within_a_batch_ends_as_if_it_never_was(
    settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    rows = [mug(f"SKU-{number}", pictures="red.png", alt=f"{number}") for number in range(6)]
    data = zipped({"products.csv": table(*rows), "red.png": png("red")})
    job = queue_desk_job(
        IMPORT_PRODUCTS,
        user_id=None,
        file=ContentFile(data, name="upload"),
        context={"name": "products.zip", "dry_run": False},
    )

    process = subprocess.run(
        [sys.executable, "-m", "tests.orders.imports.crashing_import", str(job.pk)],
        env=os.environ | {"DATABASE_URL": this_database(), "MEDIA_STORAGE": str(tmp_path)},
        timeout=100,
        check=False,
    )

    assert process.returncode == -signal.SIGKILL
    assert Product.objects.count() == 4  # the third batch went with its transaction
    with pytest.raises(Ignore):
        tasks.work(str(job.pk))  # the control: while its lease runs, nobody else begins

    DeskJob.objects.update(lease_until=Now() - timedelta(seconds=1))
    result = tasks.work(str(job.pk))
    after_the_crash = state()
    job.refresh_from_db()
    assert (job.status, job.lost) == (Status.DONE, 1)
    assert (result["created"], result["unchanged"]) == (2, 4)

    tables: tuple[Any, ...] = (ProductMedia, Stock, Product, MediaJob, Asset, Category)
    for model in tables:
        model.objects.all().delete()
    DeskJob.objects.update(status=Status.CANCELLED)
    DeskJob.objects.retry_cancelled()
    tasks.work(str(job.pk))
    assert state() == after_the_crash
