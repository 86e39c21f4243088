"""Creates media jobs: an order's pickup pass and papers, the checks and print files of shoppers'
uploads, and an asset's renditions.
"""

import hashlib
import json
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from media_jobs.models import Asset, MediaJob
from media_jobs.publishing import product_recipe
from media_jobs.recipes import (
    CHECK_PICTURE,
    CHECK_VIDEO,
    INVOICE,
    PRINT_PICTURE,
    PRINT_VIDEO,
    Recipe,
)

AT_ONCE = datetime(2000, 1, 1, tzinfo=UTC)
"""`ring_after` of a job that a person waits for: before the catalogue's pictures."""


def pickup_pass_job(*, order_id: UUID, context: dict[str, Any]) -> MediaJob:
    """Return the job that draws the order's pickup pass, unsaved: the StockWriter inserts it.

    `context` is frozen with the job and is the drawing's only input; amounts are texts:
    number, name, shop_name, currency, items_total, delivery_total, total, status_url, language,
    lines (each sku, name, quantity, unit_price, total).
    """
    return MediaJob(
        order_id=order_id,
        kind="pickup_pass",
        context=context,
        source=f"order:{order_id}",
        recipe="pickup_pass",
    )


def invoice_job(*, invoice_id: int, order_id: UUID, kind: str, context: dict[str, Any]) -> MediaJob:
    """Return the job that sets an invoice or credit note, unsaved.

    `kind` is invoice or credit_note; the context is the invoice's frozen content.
    """
    return MediaJob(
        order_id=order_id,
        kind=kind,
        context=context,
        source=f"invoice:{invoice_id}",
        recipe=INVOICE.name,
        ring_after=AT_ONCE,
    )


def queue_paper(recipe: Recipe, *, order_id: UUID, context: dict[str, Any]) -> MediaJob:
    """Queue a packing slip or pick list of an order, and return its job, new or existing.

    The same content is the same job. After a correction it is another one.
    """
    frozen = json.dumps(context, sort_keys=True)
    digest = hashlib.sha256(frozen.encode()).hexdigest()[:16]
    job, _created = MediaJob.objects.get_or_create(
        source=f"order:{order_id}:{digest}",
        recipe=recipe.name,
        defaults={
            "order_id": order_id,
            "kind": recipe.name,
            "context": context,
            "ring_after": AT_ONCE,
        },
    )
    return job


UPLOAD = "upload:"
CHECK_KIND = "check"


def check_job(*, token: UUID, file: str, is_video: bool, name: str, language: str) -> MediaJob:
    """Return the job that sees whether a shopper's upload can be used, unsaved.

    `file` is where the upload lies; the reason against it is told in the language.
    """
    return MediaJob(
        kind=CHECK_KIND,
        context={"file": file, "name": name, "language": language},
        source=_source(token),
        recipe=CHECK_VIDEO if is_video else CHECK_PICTURE,
        ring_after=AT_ONCE,
    )


def check_jobs(tokens: Collection[UUID]) -> dict[UUID, MediaJob]:
    """Return the jobs that check these uploads, by token."""
    jobs = MediaJob.objects.filter(
        kind=CHECK_KIND, source__in=[_source(token) for token in tokens]
    ).only("source", "status", "progress", "result", "created_at")
    return {UUID(job.source.removeprefix(UPLOAD)): job for job in jobs}


def delete_checks(tokens: Collection[UUID]) -> None:
    """Delete the jobs that check these uploads: their files go."""
    sources = [_source(token) for token in tokens]
    MediaJob.objects.filter(kind=CHECK_KIND, source__in=sources).delete()


def _source(token: UUID) -> str:
    return f"{UPLOAD}{token}"


def print_job(
    *,
    order_id: UUID,
    token: UUID,
    file: str,
    sha256: str,
    is_video: bool,
    context: dict[str, Any],
) -> MediaJob:
    """Return the job that prepares a shopper's upload for printing, unsaved: for the StockWriter.

    `file` is the upload's path. The context is for people: name, sku, product, quantity,
    language.
    """
    return MediaJob(
        order_id=order_id,
        kind="print",
        context={**context, "file": file, "sha256": sha256},
        source=_source(token),
        recipe=(PRINT_VIDEO if is_video else PRINT_PICTURE).name,
    )


def queue_renditions(asset: Asset, *, recipe: str = "") -> MediaJob:
    """Queue the asset's renditions by one recipe, and return their job, new or existing.

    Without a name it is the recipe for such a file of a product. The job is written in the
    caller's transaction: a product exists only together with the job of its pictures.
    """
    recipe = recipe or product_recipe(asset).name
    job, _created = MediaJob.objects.get_or_create(
        source=f"asset:{asset.pk}",
        recipe=recipe,
        defaults={"kind": "renditions", "asset": asset},
    )
    return job
