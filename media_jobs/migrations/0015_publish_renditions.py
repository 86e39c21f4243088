"""Publish the renditions that are made already: assets of a shop from before `Asset.published`.

In batches of their own transactions, beside a running shop. An asset that is published meanwhile,
by a worker of the new build, is left alone.
"""

from django.db import migrations

from media_jobs.publishing import published_of
from media_jobs.recipes import PRODUCT, PRODUCT_VIDEO

BATCH = 500


def publish_all(apps, schema_editor):
    assets = apps.get_model("media_jobs", "Asset").objects.filter(published__isnull=True)
    jobs = apps.get_model("media_jobs", "MediaJob").objects
    last = 0
    while batch := list(assets.filter(pk__gt=last).order_by("pk")[:BATCH]):
        last = batch[-1].pk
        recipes = {asset.pk: _recipe_of(asset) for asset in batch}
        for job in jobs.filter(asset__in=batch).prefetch_related("renditions"):
            if job.recipe == recipes[job.asset_id]:
                published = published_of(job, job.renditions.all())
                assets.filter(pk=job.asset_id).update(published=published)


def _recipe_of(asset):
    is_video = asset.content_type.startswith("video/")
    return (PRODUCT_VIDEO if is_video else PRODUCT).name


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("media_jobs", "0014_published")]

    operations = [migrations.RunPython(publish_all, migrations.RunPython.noop)]
