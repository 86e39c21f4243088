"""The values of `MEDIA_STORAGE`, and the errors for wrong ones."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from project.conf.media_storage import media_storage


def options(value: str) -> dict:
    return media_storage(value).backend["OPTIONS"]


def test_a_path_is_a_folder():
    storage = media_storage("/var/lib/tandem/media")

    assert storage.folder == "/var/lib/tandem/media"
    assert storage.backend == {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    assert storage.origins == ()


def test_any_s3_server_is_named_with_its_bucket():
    storage = media_storage("s3://key:a%2Fb%2Bc@minio.example.org:9000/media?region=eu&tls=no")

    assert storage.origins == ("http://minio.example.org:9000",)
    assert storage.backend["OPTIONS"] == {
        "bucket_name": "media",
        "endpoint_url": "http://minio.example.org:9000",
        "region_name": "eu",
        "addressing_style": "path",
        "public": "",
        "access_key": "key",
        "secret_key": "a/b+c",
    }


def test_a_bucket_alone_is_amazons_and_its_key_comes_from_their_variables(monkeypatch):
    monkeypatch.setenv("AWS_REGION", "eu-central-1")

    storage = media_storage("s3://shop-media")

    assert storage.origins == ("https://shop-media.s3.eu-central-1.amazonaws.com",)
    assert storage.backend["OPTIONS"]["endpoint_url"] == "https://s3.eu-central-1.amazonaws.com"
    assert "access_key" not in storage.backend["OPTIONS"]


@pytest.mark.parametrize(
    ("bucket", "start"),
    [
        ("shop-media", "https://shop-media.s3.eu-central-1.amazonaws.com/renditions/x.webp?"),
        ("media.shop", "https://s3.eu-central-1.amazonaws.com/media.shop/renditions/x.webp?"),
    ],
)
def test_signed_addresses_begin_with_the_origin_that_the_policy_allows(bucket, start):
    from media_jobs.object_storage import ObjectStorage

    storage = media_storage(f"s3://key:secret@{bucket}?region=eu-central-1")

    url = ObjectStorage(**storage.backend["OPTIONS"]).signed_url(
        "renditions/x.webp", disposition="inline"
    )

    assert url.startswith(start)
    assert url.startswith(storage.origins)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "is empty"),
        ("gs://bucket", "is neither a folder nor s3://"),
        ("https://host/bucket", "is neither a folder nor s3://"),
        ("s3://", "must name one bucket"),
        ("s3://host/a/b", "must name one bucket"),
        ("s3://host:9000", "has no bucket"),
        ("s3://key@host/bucket", "a key without its secret"),
        ("s3://key:se/cret@host/bucket", "%2F"),
        (
            "s3://host/bucket?regoin=eu",
            "an option that isn't known; there are: public",
        ),
        ("s3://host/bucket?tls=off", "neither tls=yes nor tls=no"),
        ("s3://host/bucket?public=media.example.org", "no https:// address"),
    ],
)
def test_nonsense_is_refused_with_what_is_wrong_and_without_the_secret(value, reason):
    with pytest.raises(ImproperlyConfigured, match=reason) as refusal:
        media_storage(value)

    assert "se/cret" not in str(refusal.value)


@pytest.mark.parametrize("secret", ["Xq/Zw", "Xq#Zw", "Xq?Zw", "12/Zw", "12?Zw=1", "Xq[Zw"])
def test_no_part_of_an_odd_secret_is_told(secret):
    with pytest.raises(ImproperlyConfigured, match="MEDIA_STORAGE is no URL") as refusal:
        media_storage(f"s3://KEYID:{secret}@host:9000/bucket")

    assert not [part for part in ("Xq", "Zw", "KEYID", "12") if part in str(refusal.value)]
    assert refusal.value.__suppress_context__
