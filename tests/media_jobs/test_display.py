"""How pages and API show an asset's renditions."""

from importlib import import_module

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.template import Context, Template

from media_jobs.assets import store_asset
from media_jobs.display import renditions_of
from media_jobs.models import Asset, MediaJob, Rendition
from media_jobs.outbox import queue_renditions
from media_jobs.publishing import publish
from media_jobs.tasks import process
from tests.media_jobs.originals import alpha_png, photo, saved

pytestmark = pytest.mark.django_db

TAG = '{% load picture %}{% picture asset "card" alt=alt sizes="50vw" %}'


def asset_with_renditions() -> Asset:
    asset = store_asset(ContentFile(saved(photo(1000, 800), "JPEG")), name="Photo")
    process(str(queue_renditions(asset).pk))
    return Asset.objects.get(pk=asset.pk)


def shown(asset: Asset | None, template: str = TAG, alt: str = "A photo") -> str:
    html = Template(template).render(Context({"asset": asset, "alt": alt}))
    return " ".join(html.split())


def test_a_picture_offers_the_best_codec_first_and_jpeg_to_everybody():
    asset = asset_with_renditions()

    html = shown(asset)

    urls = {
        (rendition.name, rendition.format): rendition.file.url
        for rendition in Rendition.objects.all()
    }
    srcsets = {
        file_format: f'srcset="{urls["card-small", file_format]} 320w,'
        f' {urls["card", file_format]} 640w"'
        for file_format in ("avif", "webp", "jpeg")
    }
    assert html.index(f'{srcsets["avif"]} sizes="50vw" type="image/avif"') < html.index(
        f'{srcsets["webp"]} sizes="50vw" type="image/webp"'
    )
    assert (
        f'<img src="{urls["card", "jpeg"]}" {srcsets["jpeg"]} sizes="50vw"'
        ' width="640" height="640" alt="A photo" loading="lazy"' in html
    )


def test_a_tiny_picture_is_seen_until_the_real_one_is_there():
    asset = asset_with_renditions()

    html = shown(asset)

    placeholder = asset.jobs.get().placeholder
    assert placeholder.startswith("data:image/webp;base64,")
    assert len(placeholder) < 500
    assert f'<img class="picture-placeholder" src="{placeholder}"' in html
    assert html.index("picture-placeholder") < html.index("<picture>")
    assert "style=" not in html


def test_nothing_is_seen_through_a_transparent_picture():
    asset = store_asset(ContentFile(alpha_png()), name="Disc")
    process(str(queue_renditions(asset).pk))

    assert "picture-placeholder" not in shown(Asset.objects.get(pk=asset.pk))


def test_what_is_seen_first_is_not_loaded_lazily():
    html = shown(asset_with_renditions(), '{% load picture %}{% picture asset "page" eager=True %}')

    assert 'fetchpriority="high"' in html
    assert "lazy" not in html


def test_until_its_renditions_are_made_a_picture_is_a_tile_with_its_text():
    asset = store_asset(ContentFile(saved(photo(), "JPEG")), name="Photo")
    queue_renditions(asset)

    for nothing_yet in (asset, None):
        html = shown(nothing_yet)
        assert "<img" not in html
        assert 'class="picture-tile" role="img" aria-label="A photo"' in html


def test_a_tile_that_says_nothing_is_passed_over():
    assert 'class="picture-tile" aria-hidden="true"' in shown(None, alt="")


def test_the_alternative_text_stays_text():
    assert '"><script>' not in shown(asset_with_renditions(), alt='"><script>')


def test_an_asset_is_shown_without_asking_the_database(django_assert_num_queries):
    asset = asset_with_renditions()

    with django_assert_num_queries(0):
        shown(asset)
        renditions_of(asset)


def test_a_page_opens_no_file(monkeypatch):
    asset = asset_with_renditions()

    def opened(*_args, **_options):
        raise AssertionError("opened a file")

    monkeypatch.setattr(default_storage.__class__, "open", opened)

    assert "<img" in shown(asset)


def test_renditions_from_before_there_was_the_column_are_published_by_the_migration(monkeypatch):
    migration = import_module("media_jobs.migrations.0015_publish_renditions")
    monkeypatch.setattr(migration, "BATCH", 1)
    before = asset_with_renditions()
    other = store_asset(ContentFile(saved(photo(90, 60), "JPEG")), name="Not made yet")
    queue_renditions(other)
    Asset.objects.update(published=None)

    migration.publish_all(apps, None)

    assert Asset.objects.get(pk=before.pk).published == before.published
    assert Asset.objects.get(pk=other.pk).published is None


def test_renditions_come_in_the_recipes_order():
    renditions = renditions_of(asset_with_renditions())

    assert [(rendition.name, rendition.format) for rendition in renditions] == [
        (name, file_format)
        for name in ("card", "card-small", "page", "page-small", "zoom")
        for file_format in ("avif", "webp", "jpeg")
    ]


def test_renditions_that_the_recipe_no_longer_has_are_not_shown():
    asset = asset_with_renditions()
    job = MediaJob.objects.get()
    Rendition.objects.create(
        job=job, name="huge", format="jpeg", width=1, height=1, size=1, file="renditions/x.jpeg"
    )
    publish(asset)

    asset = Asset.objects.get(pk=asset.pk)

    assert "huge" not in {rendition.name for rendition in renditions_of(asset)}


def test_an_animation_moves_for_those_who_like_that_and_stands_still_for_others():
    frames = [photo(300, 200), photo(300, 200).rotate(180)]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    asset = store_asset(ContentFile(data), name="Moving")
    process(str(queue_renditions(asset).pk))
    asset.refresh_from_db()

    html = shown(asset, '{% load picture %}{% picture asset "page" %}')

    moving = Rendition.objects.get(name="page", format="webp")
    still = Rendition.objects.get(name="page", format="jpeg")
    assert (
        f'<source srcset="{moving.file.url}" type="image/webp"'
        ' media="(prefers-reduced-motion: no-preference)">' in html
    )
    assert f'<img src="{still.file.url}"' in html
    assert "avif" not in html  # it would be taken first, and it doesn't move


def test_a_video_offers_hls_to_who_plays_it_and_mp4_to_everybody():
    asset = Asset.objects.create(
        file="originals/x.mp4", sha256="a" * 64, content_type="video/mp4", size=1
    )
    job = MediaJob.objects.create(
        kind="renditions", source="asset:1", recipe="product_video", asset=asset
    )
    template = '{% load picture %}{% video asset alt="A mug turns" %}'
    assert 'class="picture-tile" role="img" aria-label="A mug turns"' in shown(asset, template)
    for name, file_format, width, height in (
        ("480p", "mp4", 854, 480),
        ("720p", "mp4", 1280, 720),
        ("hls-480p", "m3u8", 854, 480),
        ("hls-480p", "mp4", 854, 480),
        ("hls", "m3u8", 1280, 720),
        ("poster", "webp", 1280, 720),
        ("card", "jpeg", 640, 640),
    ):
        Rendition.objects.create(
            job=job,
            name=name,
            format=file_format,
            width=width,
            height=height,
            size=1,
            file=f"renditions/{name}.{file_format}",
        )

    publish(asset)
    html = shown(asset, template)

    assert 'poster="/media/renditions/poster.webp" width="1280" height="720"' in html
    places = [
        html.index('src="/media/renditions/hls.m3u8" type="application/vnd.apple.mpegurl"'),
        html.index('src="/media/renditions/720p.mp4" type="video/mp4" media="(min-width: 48rem)"'),
        html.index('src="/media/renditions/480p.mp4" type="video/mp4">'),
    ]
    assert places == sorted(places)
    assert 'aria-label="A mug turns"' in html
    assert "<img" in shown(asset)  # its card, in lists
