"""The outbox of media jobs: which jobs an order and an asset get."""

from uuid import uuid4

import pytest
from django.core.files.base import ContentFile

from media_jobs.assets import store_asset
from media_jobs.models import MediaJob
from media_jobs.outbox import pickup_pass_job, queue_renditions
from tests.media_jobs.originals import alpha_png


def test_a_pickup_pass_is_prepared_without_the_database():
    order_id = uuid4()

    job = pickup_pass_job(order_id=order_id, context={"number": "T1"})

    assert job._state.adding
    assert (job.order_id, job.kind, job.recipe) == (order_id, "pickup_pass", "pickup_pass")
    assert (job.source, job.context) == (f"order:{order_id}", {"number": "T1"})


@pytest.mark.django_db
def test_renditions_are_queued_once_per_asset_and_recipe():
    asset = store_asset(ContentFile(alpha_png()), name="Disc")

    first, again = queue_renditions(asset), queue_renditions(asset)

    assert first == again
    assert MediaJob.objects.count() == 1
    assert (first.asset, first.source, first.recipe) == (asset, f"asset:{asset.pk}", "product")
    assert MediaJob.objects.ready().count() == 1
