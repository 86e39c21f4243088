"""`POST uploads`, and the orders that name what it gave."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from media_jobs import receiving
from orders.models import Upload
from tests.factories import add_product, end_check, new_key, uploaded_file
from tests.media_jobs.originals import alpha_png
from tests.orders.api.bodies import Post, order

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media_folder(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")


def hand_in(
    content: bytes, *, name: str = "ada.png", field: str = "file", address: str = "192.0.2.1"
) -> Any:
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    files = {field: SimpleUploadedFile(name, content)}
    return client.post("/api/v1/uploads", files, REMOTE_ADDR=address)


def test_a_picture_gets_a_token_and_is_told_what_it_is() -> None:
    answer = hand_in(alpha_png(), name="ada.exe")

    upload = Upload.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "token": str(upload.token),
        "kind": "picture",
        "name": "ada.exe",
        "content_type": "image/png",
        "size": len(alpha_png()),
        "state": "checking",
        "reason": "",
    }


def state_of(upload: Upload) -> Any:
    return Client().get(f"/api/v1/uploads/{upload.token}")


def test_an_upload_tells_what_its_check_found() -> None:
    usable, refused, new = (uploaded_file(checked=False) for _ in range(3))
    end_check(usable)
    end_check(refused, refusal="The picture is damaged.")

    told = [state_of(upload).json() for upload in (usable, refused, new)]

    assert [(each["state"], each["reason"]) for each in told] == [
        ("usable", ""),
        ("refused", "The picture is damaged."),
        ("checking", ""),
    ]


def test_an_upload_that_is_not_there_is_not_found() -> None:
    upload = uploaded_file()
    Upload.objects.all().delete()

    answer = state_of(upload)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty"),
        (b"no picture", "This file can't be used"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(300), "HEIC"),
        (b"\xff\xd8\xff" + bytes(3_000_000), "at most 1 MB"),
    ],
)
def test_what_cant_be_used_is_refused_by_its_field(
    settings: Any, content: bytes, message: str
) -> None:
    settings.MEDIA_MAX_PICTURE_MB = 1

    answer = hand_in(content)

    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    (error,) = answer.json()["errors"]
    assert error["field"] == "file"
    assert message in error["message"]


def test_a_request_without_a_file_is_refused() -> None:
    assert hand_in(alpha_png(), field="other").json()["errors"][0]["field"] == "file"
    answer = Client().post("/api/v1/uploads", "{}", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_two_files_at_once_are_refused_rather_than_one_of_them_left_out() -> None:
    files = [SimpleUploadedFile(name, alpha_png()) for name in ("ada.png", "bob.png")]

    answer = Client().post("/api/v1/uploads", {"file": files})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["message"] == "Choose only one file."
    assert not Upload.objects.exists()


def test_a_body_that_is_too_large_is_refused_unread(settings: Any) -> None:
    settings.MEDIA_MAX_PICTURE_MB = settings.MEDIA_MAX_VIDEO_MB = 1

    answer = hand_in(bytes(2_500_000))

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_who_uploads_and_never_orders_is_told_to_wait(settings: Any) -> None:
    settings.MAX_UPLOADS_PER_HOUR = 1
    hand_in(alpha_png())

    answer = hand_in(alpha_png())

    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_uploads")
    assert 3500 < int(answer["Retry-After"]) <= 3600


@pytest.mark.parametrize(
    ("second", "status"),
    [
        ("2001:db8:1:2:ffff::2", 429),
        ("2001:db8:1:3::1", 201),
    ],
)
def test_an_ipv6_network_of_64_bits_counts_as_one_address(
    settings: Any, second: str, status: int
) -> None:
    settings.MAX_UPLOADS_PER_HOUR = 1
    hand_in(alpha_png(), address="2001:db8:1:2::1")

    answer = hand_in(alpha_png(), address=second)

    assert answer.status_code == status


def test_an_ipv4_address_in_ipv6_form_counts_as_the_ipv4_address(settings: Any) -> None:
    settings.MAX_UPLOADS_PER_HOUR = 1
    hand_in(alpha_png(), address="192.0.2.1")

    assert hand_in(alpha_png(), address="::ffff:192.0.2.1").status_code == 429
    assert hand_in(alpha_png(), address="::ffff:192.0.2.2").status_code == 201


def test_more_files_at_once_than_a_process_receives_are_busy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Full:
        def acquire(self, *, blocking: bool) -> bool:
            return False

    monkeypatch.setattr(receiving, "places", Full())

    answer = hand_in(alpha_png())

    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert answer["Retry-After"]


@pytest.mark.django_db(transaction=True, databases=["default", "writer"])
@pytest.mark.usefixtures("writers")
def test_an_order_with_an_upload_shows_it_and_its_job(post: Post) -> None:
    add_product("MUG", personalisation="picture")
    token = str(uploaded_file().token)
    body = order()
    body["lines"] = [
        {"sku": "MUG", "quantity": 1, "upload": token.upper()},
        {"sku": "MUG", "quantity": 2},
    ]

    answer = post(body)

    assert answer.status_code == 201
    (line,) = answer.json()["lines"]
    assert line["quantity"] == 3
    assert line["uploads"] == [{"token": token, "quantity": 1}]
    assert [job["kind"] for job in answer.json()["jobs"] if job["app"] == "media"] == [
        "pickup_pass",
        "print",
    ]
    again = post(body)
    assert (again.status_code, again.json()["errors"][0]["field"]) == (422, "lines.0.upload")


@pytest.mark.django_db(transaction=True, databases=["default", "writer"])
@pytest.mark.usefixtures("writers")
def test_an_order_with_a_file_that_is_not_checked_yet_may_be_sent_again(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.placing.upload_checks.WAIT_SECONDS", 0)
    add_product("MUG", personalisation="picture")
    upload = uploaded_file(checked=False)
    body, key = order(), new_key()
    body["lines"] = [{"sku": "MUG", "quantity": 1, "upload": str(upload.token)}]

    early = post(body, key=key)
    end_check(upload)
    again = post(body, key=key)

    assert (early.status_code, again.status_code) == (422, 201)
    (error,) = early.json()["errors"]
    assert error["field"] == "lines.0.upload"
    assert "still being checked" in error["message"]


@pytest.mark.parametrize("upload", ["x", "\x00", 1, None, "0" * 5000])
def test_a_token_that_is_none_is_refused_by_its_line(post: Post, upload: Any) -> None:
    add_product("MUG", personalisation="picture")
    body = order()
    body["lines"] = [{"sku": "MUG", "quantity": 1, "upload": upload}]

    answer = post(body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "lines.0.upload"


def test_a_product_says_what_it_asks_for() -> None:
    add_product("MUG", personalisation="either", requires_upload=True)

    item = Client().get("/api/v1/products/MUG").json()

    assert (item["personalisation"], item["requires_upload"]) == ("either", True)
