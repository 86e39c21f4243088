"""`manage.py renditions`: what is out of date is made again, what lies about is removed."""

from dataclasses import replace
from io import StringIO
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from media_jobs import processing, recipes, rendition_files
from media_jobs.assets import store_asset
from media_jobs.handler import MediaJobHandler
from media_jobs.models import MediaJob, Rendition
from media_jobs.outbox import queue_renditions
from media_jobs.tasks import process
from project.jobs.queryset import Status
from tests.media_jobs.claims import claimed
from tests.media_jobs.originals import photo, saved
from tests.media_jobs.passes import pass_job
from tests.media_jobs.stored import files_of, shown

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]


def run(*options: str) -> str:
    output = StringIO()
    call_command("renditions", *options, stdout=output)
    return output.getvalue()


def made_picture() -> MediaJob:
    job = queue_renditions(store_asset(ContentFile(saved(photo(90, 90), "JPEG")), name="Photo"))
    process(str(job.pk))
    return job


def made_pass() -> MediaJob:
    job = pass_job()
    process(str(job.pk))
    return job


def change(monkeypatch, recipe: recipes.Recipe) -> None:
    """Let the recipe say something else."""
    spec, *others = recipe.renditions
    changed = replace(recipe, renditions=(replace(spec, width=spec.width - 10), *others))
    monkeypatch.setitem(recipes.RECIPES, recipe.name, changed)


def test_nothing_is_to_be_made_again_while_no_recipe_changes():
    made_picture()

    report = run("--remake")

    assert f"product ({recipes.PRODUCT.hash}): 1 sources, 15 files, 0 to remake" in report
    assert MediaJob.objects.get().status == Status.DONE


def test_a_changed_recipe_makes_only_its_own_again(monkeypatch):
    picture, pickup_pass = made_picture(), made_pass()
    change(monkeypatch, recipes.PRODUCT)

    report = run("--remake")

    picture.refresh_from_db()
    pickup_pass.refresh_from_db()
    assert "1 sources, 15 files, 1 to remake\n  queued again: 1" in report
    assert (picture.status, pickup_pass.status) == (Status.QUEUED, Status.DONE)
    assert len(shown()) == 16  # shown until the new ones are there


def test_only_the_recipe_that_was_named_is_made_again(monkeypatch):
    picture, pickup_pass = made_picture(), made_pass()
    change(monkeypatch, recipes.PRODUCT)
    change(monkeypatch, recipes.PICKUP_PASS)

    run("--remake", "pickup_pass")

    picture.refresh_from_db()
    pickup_pass.refresh_from_db()
    assert (picture.status, pickup_pass.status) == (Status.DONE, Status.QUEUED)


def test_an_unknown_recipe_is_refused_with_those_that_there_are():
    with pytest.raises(CommandError, match="product, product_video, pickup_pass"):
        run("--remake", "poster")


@pytest.mark.parametrize(
    "change_one",
    [
        lambda patch: patch.setattr(recipes, "ENCODERS", recipes.ENCODERS + 1),
        lambda patch: patch.setattr("django.conf.settings.SHOP_NAME", "Another"),
    ],
    ids=["the encoders", "the watermark's words"],
)
def test_a_hash_says_what_else_a_rendition_depends_on(monkeypatch, change_one):
    before = recipes.PRODUCT.hash

    change_one(monkeypatch)

    assert recipes.PRODUCT.hash != before


def test_a_hash_is_the_same_in_every_process():
    assert recipes.PRODUCT.hash == replace(recipes.PRODUCT).hash
    assert len({recipe.hash for recipe in recipes.RECIPES.values()}) == len(recipes.RECIPES)


def test_an_update_that_leaves_a_recipe_alone_makes_no_picture_anew():
    assert recipes.Recipe("example", recipes.CARDS).hash == "6a882f12e88ebee1", (
        "every catalogue picture of every shop would be made again"
    )


def orphan() -> str:
    return default_storage.save("renditions/ab/abc/0123/deadbeef/x.webp", ContentFile(b"orphan"))


@pytest.mark.quick_in_bucket
def test_orphans_are_counted_and_only_removed_when_asked():
    made_picture()
    lost = orphan()

    assert "orphans: 1 folders" in run()
    assert default_storage.exists(lost)
    assert "removed 1 files" in run("--prune")

    assert files_of() == shown()
    assert not default_storage.exists(lost)


def test_originals_are_never_removed():
    job = made_picture()
    Rendition.objects.all().delete()

    run("--prune")

    assert files_of() == set()
    assert default_storage.exists(str(job.asset.file.name))


def test_files_of_a_claim_at_work_stay(pair_job):
    job = claimed(pair_job().pk)
    processing.process(job)

    run("--prune")

    assert len(files_of()) == 2


def test_control_files_of_a_claim_that_was_lost_go():
    job = claimed(pass_job().pk)
    processing.process(job)
    MediaJob.objects.filter(pk=job.pk).update(token=uuid4())

    run("--prune")

    assert files_of() == set()


def test_a_claim_that_begins_while_orphans_are_listed_loses_nothing(monkeypatch, pair_job):
    orphan()
    leaves = rendition_files.leaves

    def listed_then_written(*roots):
        yield from list(leaves(*roots))
        job = claimed(pair_job().pk)
        processing.process(job)

    monkeypatch.setattr("media_jobs.management.commands.renditions.leaves", listed_then_written)

    run("--prune")

    assert len(files_of()) == 2


def test_a_claim_that_is_finished_while_orphans_are_looked_for_loses_nothing(monkeypatch):
    job = claimed(pass_job().pk)
    result = processing.process(job)
    listed = list(rendition_files.leaves(rendition_files.PUBLIC_ROOT))
    claims = rendition_files.running_claims

    def finished_meanwhile():
        MediaJob.objects.succeed(job, result)
        MediaJobHandler().on_succeeded(job)
        return claims()

    monkeypatch.setattr(rendition_files, "running_claims", finished_meanwhile)

    assert rendition_files.unneeded(listed) == []
