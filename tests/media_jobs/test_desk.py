"""Originals at the desk: before and after, what became of them, and making them again."""

from uuid import uuid4

import pytest
from celery.exceptions import Ignore
from django.contrib.auth.models import Permission
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone

from media_jobs.assets import store_asset
from media_jobs.desk import thumbnail
from media_jobs.models import Asset, MediaJob, Rendition
from media_jobs.outbox import queue_renditions
from media_jobs.tasks import process
from orders.models import User
from project.jobs.errors import PermanentError
from project.jobs.queryset import Status
from project.models import JobDecision
from tests.media_jobs import films
from tests.media_jobs.children import children, is_alive
from tests.media_jobs.claims import claimed
from tests.media_jobs.originals import photo, saved
from tests.media_jobs.stored import files_of
from tests.pages import open_page, read_page

pytestmark = pytest.mark.django_db


def queued(data: bytes | None = None) -> MediaJob:
    data = data or saved(photo(), "JPEG")
    return queue_renditions(store_asset(ContentFile(data), name="Photo"))


def made() -> MediaJob:
    job = queued()
    process(str(job.pk))
    job.refresh_from_db()
    return job


def failed() -> MediaJob:
    job = queued(saved(photo(), "JPEG")[:2000])
    with pytest.raises(PermanentError):
        process(str(job.pk))
    return job


def page_of(client, job: MediaJob) -> str:
    return client.get(f"/admin/media_jobs/asset/{job.asset_id}/change/").content.decode()


def decide(client, job: MediaJob, name: str, **data: str):
    return client.post(reverse("admin:media_jobs_mediajob_decide", args=[job.pk, name]), data)


def prefetched(job: MediaJob) -> Asset:
    return Asset.objects.prefetch_related("jobs__renditions").get(pk=job.asset_id)


def test_an_original_is_shown_beside_what_was_made_of_it_with_sizes_and_savings(admin_client):
    job = made()
    smallest = Rendition.objects.get(name="card-small", format="avif")

    page = page_of(admin_client, job)

    assert f'src="{job.asset.file.url}"' in page
    assert Rendition.objects.get(name="zoom", format="avif").file.url in page
    assert all(rendition.file.url in page for rendition in Rendition.objects.all())
    share = 100 * (smallest.size - job.asset.size) / job.asset.size
    assert f"{share:+.1f} %" in page


def test_an_original_that_nobody_has_looked_into_is_only_downloaded(admin_client):
    job = failed()

    page = page_of(admin_client, job)

    assert "damaged or cut short" in page
    assert f'src="{job.asset.file.url}"' not in page
    assert f'href="{job.asset.file.url}"' in page


def test_the_page_follows_a_job_and_is_loaded_anew_when_it_ends(admin_client):
    job = queued()
    MediaJob.objects.claim(job.pk)
    MediaJob.objects.filter(pk=job.pk).update(progress=42)
    url = reverse("admin:media_jobs_asset_work", args=[job.asset_id])

    assert f'hx-get="{url}"' in page_of(admin_client, job)
    running = admin_client.get(url)
    MediaJob.objects.filter(pk=job.pk).cancel()
    ended = admin_client.get(url)

    assert "42 %" in running.content.decode()
    assert "HX-Refresh" not in running
    assert ended["HX-Refresh"] == "true"


def test_make_again_makes_new_files_and_shows_the_old_ones_until_then(admin_client):
    job = made()
    before = files_of()

    answer = decide(admin_client, job, "make-again")

    assert answer.status_code == 302
    assert files_of() == before
    process(str(job.pk))
    assert len(files_of()) == len(before)
    assert files_of().isdisjoint(before)


def test_make_all_again_says_how_many_before_it_does_it(admin_client):
    done, broken, waiting = made(), failed(), queued(saved(photo(90, 60), "JPEG"))
    url = reverse("admin:media_jobs_asset_again", args=["product"])

    asked = admin_client.get(url).content.decode()
    untouched = set(MediaJob.objects.values_list("status", flat=True))
    page = read_page(admin_client, url, asked)
    page.send()
    for job in (done, broken):  # as if they were made meanwhile: Back, and a second click
        MediaJob.objects.filter(pk=job.pk).update(
            status=Status.DONE, finished_at=timezone.now(), recipe_hash="made"
        )
    page.send()

    assert "2 sources would be made again." in asked
    assert "1 more is waiting or at work anyway." in asked
    assert untouched == {Status.DONE, Status.FAILED, Status.QUEUED}
    jobs = MediaJob.objects.filter(pk__in=[done.pk, broken.pk, waiting.pk])
    assert set(jobs.values_list("pk", "status", "recipe_hash")) == {
        (done.pk, Status.DONE, "made"),
        (broken.pk, Status.DONE, "made"),
        (waiting.pk, Status.QUEUED, ""),
    }
    assert JobDecision.objects.count() == 2


def test_making_again_leaves_a_job_at_work_alone(admin_client):
    job = claimed(queued().pk)

    decide(admin_client, job, "make-again")
    open_page(admin_client, reverse("admin:media_jobs_asset_again", args=["product"])).send()

    assert MediaJob.objects.held(job).exists()


def test_who_may_only_look_can_make_nothing_again(client):
    job = made()
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(viewer)
    url = reverse("admin:media_jobs_asset_again", args=["product"])

    page = page_of(client, job)

    assert "card.avif" in page
    assert url not in page
    assert client.get(url).status_code == client.post(url).status_code == 403
    assert decide(client, job, "make-again").status_code == 403


def test_a_recipe_that_is_not_there_is_not_found(admin_client):
    url = reverse("admin:media_jobs_asset_again", args=["none"])

    assert admin_client.get(url).status_code == 404


def test_the_cancel_button_kills_a_film_at_work_at_once(admin_client, tmp_path, monkeypatch):
    original = films.film(tmp_path / "film.mp4", seconds=2)
    job = queued(original.read_bytes())
    set_progress = type(MediaJob.objects).set_progress
    alive: list[int] = []

    def clicked_meanwhile(manager, held, percent):
        if percent >= 5 and not alive and (pids := children()):  # encoding
            alive.extend(pids)
            assert decide(admin_client, job, "cancel").status_code == 302
        return set_progress(manager, held, percent)

    monkeypatch.setattr(type(MediaJob.objects), "set_progress", clicked_meanwhile)

    with pytest.raises(Ignore):
        process(str(job.pk))

    job.refresh_from_db()
    assert job.status == Status.CANCELLED
    assert alive
    assert not any(is_alive(pid) for pid in alive)
    assert files_of() == set()


def test_the_list_says_what_became_of_each(admin_client):
    job = queued()

    assert thumbnail(prefetched(job)) == "being made"
    MediaJob.objects.filter(pk=job.pk).cancel()
    assert thumbnail(prefetched(job)) == "cancelled"
    assert thumbnail(prefetched(failed())) == "couldn't be made"
    assert thumbnail(None) == "–"


def test_more_files_and_jobs_cost_no_more_queries(admin_client, django_assert_max_num_queries):
    job = made()
    url = f"/admin/media_jobs/asset/{job.asset_id}/change/"
    other = MediaJob.objects.create(
        kind="renditions", source=f"x:{uuid4()}", recipe="other", asset=job.asset, status="failed"
    )
    for number in range(20):
        Rendition.objects.create(
            job=other, name=f"n{number}", format="webp", width=1, height=1, size=1, file="x.webp"
        )

    with django_assert_max_num_queries(12):
        admin_client.get(url)
