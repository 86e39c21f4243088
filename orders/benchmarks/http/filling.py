"""Fills the shop that is measured; it runs in either build, by `manage.py shell`.

Each picture has the renditions of its whole recipe, without their files: pages only name them.
"""

from django.db.models.functions import Now

from media_jobs.handler import MediaJobHandler
from media_jobs.models import MediaJob
from media_jobs.recipes import RECIPES
from orders.models import Stock

UNITS = 10**8


def fill() -> None:
    """Give the demo's products stock for any number of orders, and renditions."""
    Stock.objects.update(initial=UNITS, available=UNITS)
    for job in MediaJob.objects.exclude(asset=None):
        recipe = RECIPES[job.recipe]
        result = {
            "recipe_hash": recipe.hash,
            "placeholder": "data:image/webp;base64," + "A" * 200,
            "renditions": [
                {
                    "name": spec.name,
                    "format": each.name,
                    "width": spec.width,
                    "height": spec.height,
                    "size": 10_000,
                    "seconds": None,
                    "file": f"renditions/00/{job.pk.hex}/{recipe.hash}/{spec.name}.{each.name}",
                }
                for spec in recipe.renditions
                for each in spec.formats
            ],
        }
        job.result = result
        # The build before writes these two in `on_succeeded`, and this one as the attempt's.
        kept = {name: result[name] for name in ("recipe_hash", "placeholder")}
        MediaJob.objects.filter(pk=job.pk).update(
            status="done", finished_at=Now(), progress=100, result=result, **kept
        )
        MediaJobHandler().on_succeeded(job)


fill()
