"""The pictures of demo pickup passes: one per language, drawn and stored like real ones."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings

from media_jobs import pickup_pass
from media_jobs.models import MediaJob
from media_jobs.outbox import pickup_pass_job
from media_jobs.output import Output
from media_jobs.recipes import PICKUP_PASS, PNG
from media_jobs.rendition_files import folder_of, remove, store
from orders.models import Order
from orders.placing.draft import DraftLine
from orders.placing.message_context import message_context

_LINE = DraftLine(0, "DEMO", "Demo", 1, Decimal("9.90"), Decimal("9.90"))


def draw_passes(*, seed: int) -> dict[str, list[dict[str, Any]]]:
    """Draw and store the passes; return the fields of their renditions, by language."""
    return {language: _draw(_job(language, seed)) for language, _name in settings.LANGUAGES}


def remove_passes(*, seed: int) -> None:
    """Delete the files, once no rendition is left that shows them."""
    for language, _name in settings.LANGUAGES:
        try:
            remove(folder_of(_job(language, seed), PICKUP_PASS))
        except FileNotFoundError:
            continue


def _draw(job: MediaJob) -> list[dict[str, Any]]:
    (spec,) = PICKUP_PASS.renditions
    picture = Output(spec.name, PNG.name, spec.width, spec.height, pickup_pass.draw(job.context))
    return [store(folder_of(job, PICKUP_PASS), picture)]


def _job(language: str, seed: int) -> MediaJob:
    """Return a claimed job, unsaved, of an order that doesn't exist."""
    order = Order(
        pk=UUID(int=seed % (1 << 64)),
        name="Demo",
        language=language,
        currency=settings.SHOP_CURRENCY,
        items_total=_LINE.total,
        delivery_total=Decimal(0),
        total=_LINE.total,
    )
    context = {"number": "DEMO", **message_context(order, [_LINE])}
    job = pickup_pass_job(order_id=order.pk, context=context)
    job.token = UUID(int=(seed % (1 << 32)) << 96)
    return job
