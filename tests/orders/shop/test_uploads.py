"""The shopper's own picture: on the product's page, in the cart, in the order."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.functions import Now
from django.test import Client

from media_jobs.models import MediaJob
from orders.carts.cart import ShopperCart
from orders.models import Order, Product, Upload
from tests.factories import add_product, end_check, uploaded_file
from tests.media_jobs.originals import alpha_png
from tests.orders.shop.pages import add, cart_of, send, text_of

pytestmark = pytest.mark.django_db
URL = "/products/mug/upload/"


@pytest.fixture(autouse=True)
def media_folder(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")


@pytest.fixture(autouse=True)
def mug(db: None) -> Product:
    return add_product("MUG", stock=10, personalisation="picture")


def file(content: bytes = b"") -> SimpleUploadedFile:
    return SimpleUploadedFile("ada.png", content or alpha_png())


def lines_of(client: Client) -> dict[str, tuple[str, int]]:
    """SKU and units of the cart's lines by their upload; a line without one has ""."""
    cart = ShopperCart(client.session, user_id=None)
    return {line.upload: (line.sku, line.quantity) for line in cart.lines}


def test_the_page_offers_a_field_where_the_product_asks_and_may_show_the_browsers_file(
    client: Client,
) -> None:
    add_product("PLAIN")

    page, plain = client.get("/products/mug/"), client.get("/products/plain/")

    assert "Your picture" in text_of(page)
    assert "img-src 'self' data: blob:" in page["Content-Security-Policy"]
    assert 'type="file"' not in plain.content.decode()


def test_a_chosen_file_comes_back_as_its_token(client: Client) -> None:
    answer = client.post(URL, {"file": file(), "sku": "MUG", "quantity": "1"})

    assert answer.status_code == 200
    assert f'name="upload" value="{Upload.objects.get().token}"' in answer.content.decode()
    assert "ada.png" in text_of(answer)


def test_a_bad_file_is_answered_with_its_sentence_and_the_former_one_stays(
    client: Client,
) -> None:
    before = uploaded_file()

    answer = client.post(URL, {"upload": str(before.token), "file": file(b"no picture")})

    assert answer.status_code == 422
    assert "This file can't be used" in answer.content.decode().replace("&#x27;", "'")
    assert str(before.token) in answer.content.decode()


@pytest.mark.parametrize(
    ("asked_for", "offered", "not_offered"),
    [("picture", "Choose a picture", "video"), ("video", "Choose a video", "picture")],
)
def test_a_refusal_offers_only_what_the_product_takes(
    client: Client, mug: Product, asked_for: str, offered: str, not_offered: str
) -> None:
    Product.objects.filter(pk=mug.pk).update(personalisation=asked_for)

    answer = client.post(URL, {"file": file(b"neither")})

    assert offered in text_of(answer)
    assert f"a {not_offered} (" not in text_of(answer)


def test_replacing_and_removing_delete_what_was_there(client: Client) -> None:
    before = uploaded_file()

    client.post(URL, {"upload": str(before.token), "file": file()})
    after = Upload.objects.get()
    answer = client.post(URL, {"upload": str(after.token), "remove": "1"})

    assert after != before
    assert not Upload.objects.exists()
    assert 'name="upload"' not in answer.content.decode()


def test_too_many_uploads_are_told_so(client: Client, settings: Any) -> None:
    settings.MAX_UPLOADS_PER_HOUR = 1
    client.post(URL, {"file": file()})

    answer = client.post(URL, {"file": file()})

    assert answer.status_code == 429
    assert "try again in 60 min" in text_of(answer)


def test_the_field_is_behind_the_check_against_forgery() -> None:
    answer = Client(enforce_csrf_checks=True).post(URL, {"file": file()})

    assert answer.status_code == 403
    assert not Upload.objects.exists()


def test_the_same_product_with_another_picture_is_another_line(client: Client) -> None:
    ada, bob = uploaded_file(name="ada.png"), uploaded_file(name="bob.png")
    for upload in (ada, bob, ada):
        client.post("/cart/", {"action": "add", "sku": "MUG", "upload": str(upload.token)})
    add(client, "MUG", 3)

    page = client.get("/cart/")

    assert lines_of(client) == {
        str(ada.token): ("MUG", 2),
        str(bob.token): ("MUG", 1),
        "": ("MUG", 3),
    }
    assert "with ada.png" in text_of(page)
    assert "6 items" in text_of(page)


def test_lines_of_one_product_are_short_together(client: Client) -> None:
    upload = uploaded_file()
    add(client, "MUG", 8)
    client.post("/cart/", {"action": "add", "sku": "MUG", "quantity": 3, "upload": upload.token})

    page = client.get("/cart/")

    assert "Set to 7" in text_of(page)
    assert "Set to 2" in text_of(page)


def test_a_line_that_is_removed_takes_its_upload_with_it(client: Client) -> None:
    upload = uploaded_file()
    line = {"sku": "MUG", "upload": str(upload.token)}
    client.post("/cart/", {"action": "add", **line})

    client.post("/cart/", {"action": "remove", **line})

    assert lines_of(client) == {}
    assert not Upload.objects.exists()


def test_a_line_whose_upload_has_expired_is_taken_out_and_said(client: Client) -> None:
    upload = uploaded_file()
    client.post("/cart/", {"action": "add", "sku": "MUG", "upload": str(upload.token)})
    upload.delete()

    page = client.get("/cart/")

    assert "Your file for “Thing MUG” has expired" in text_of(page)
    assert lines_of(client) == {}


def test_a_browser_without_scripts_sends_its_file_with_the_form(client: Client) -> None:
    client.post("/cart/", {"action": "add", "sku": "MUG", "quantity": "2", "file": file()})
    bad = {"action": "add", "sku": "MUG", "quantity": "1", "file": file(b"no picture")}
    answer = client.post("/cart/", bad, follow=True)

    assert lines_of(client) == {str(Upload.objects.get().token): ("MUG", 2)}
    assert answer.redirect_chain[0][0] == "/products/mug/"


def test_a_product_that_needs_a_picture_leads_to_its_page(client: Client) -> None:
    add_product("PHOTO", personalisation="picture", requires_upload=True)

    answer = add(client, "PHOTO")

    assert answer["Location"] == "/products/photo/"
    assert cart_of(client) == {}


def checked(client: Client, upload: Upload) -> Any:
    return client.get(f"{URL}{upload.token}/")


def test_the_field_follows_the_check_until_the_file_is_known_to_be_usable(client: Client) -> None:
    field = client.post(URL, {"file": file(), "sku": "MUG", "quantity": "1"})
    upload = Upload.objects.get()
    MediaJob.objects.update(progress=40)

    open_check = checked(client, upload)
    end_check(upload)
    done = checked(client, upload)

    for answer in (field, open_check):
        assert "We check your file" in text_of(answer)
        assert f'hx-get="{URL}{upload.token}/"' in answer.content.decode()
        assert "data-checking" in answer.content.decode()
    assert '<progress value="40"' in open_check.content.decode()
    assert "Your file can be used" in text_of(done)
    assert "hx-get" not in done.content.decode()


def test_a_file_that_cant_be_used_is_taken_out_of_the_field_with_its_reason(
    client: Client,
) -> None:
    upload = uploaded_file(checked=False)
    end_check(upload, refusal="The picture is damaged or cut short.")

    answer = checked(client, upload)

    assert "The picture is damaged or cut short." in text_of(answer)
    assert (answer["HX-Retarget"], answer["HX-Reswap"]) == ("#upload", "outerHTML")
    assert str(upload.token) not in answer.content.decode()


def test_a_check_that_is_late_holds_nobody_back_on_the_products_page(client: Client) -> None:
    upload = uploaded_file(checked=False)
    MediaJob.objects.update(created_at=Now() - timedelta(minutes=5))

    answer = checked(client, upload)

    assert "could not be checked yet" in text_of(answer)
    assert "data-checking" not in answer.content.decode()
    assert "hx-get" in answer.content.decode()


def test_an_upload_that_has_gone_says_so(client: Client) -> None:
    upload = uploaded_file()
    Upload.objects.all().delete()

    assert "was used or has expired" in text_of(checked(client, upload))


@pytest.mark.parametrize(
    ("refusal", "said"),
    [("", "still being checked"), ("The picture is damaged.", "The picture is damaged.")],
)
@pytest.mark.django_db(transaction=True, databases=["default", "writer"])
@pytest.mark.usefixtures("writers")
def test_without_scripts_cart_and_checkout_say_what_is_with_the_file(
    client: Client, monkeypatch: pytest.MonkeyPatch, refusal: str, said: str
) -> None:
    monkeypatch.setattr("orders.placing.upload_checks.WAIT_SECONDS", 0)
    client.post("/cart/", {"action": "add", "sku": "MUG", "quantity": "1", "file": file()})
    if refusal:
        end_check(Upload.objects.get(), refusal=refusal)

    cart, checkout = client.get("/cart/"), client.get("/checkout/")
    refused = send(client, checkout)
    MediaJob.objects.filter(kind="check").update(status="done", result={"refusal": ""})
    placed = send(client, refused)

    assert said in text_of(cart)
    assert said in text_of(checkout)
    assert refused.status_code == 200  # the refusal redirects to what was typed
    assert said in text_of(refused)
    assert placed.status_code == 302
    assert Order.objects.count() == 1


@pytest.mark.django_db(transaction=True, databases=["default", "writer"])
@pytest.mark.usefixtures("writers")
def test_the_order_takes_the_upload_and_its_page_follows_it(client: Client) -> None:
    token = str(uploaded_file(name="ada.png").token)
    client.post("/cart/", {"action": "add", "sku": "MUG", "quantity": "2", "upload": token})
    add(client, "MUG")

    placed = send(client, client.get("/checkout/"))

    order = Order.objects.get()
    page = client.get(placed["Location"])
    assert "ada.png: we prepare it in a moment" in text_of(page)
    assert lines_of(client) == {}
    MediaJob.objects.filter(kind="print").update(status="failed", error="internal words")
    failed = client.get(order.get_absolute_url())
    assert "We couldn&#x27;t use ada.png. Your order stands" in text_of(failed)
    assert "internal words" not in text_of(failed)
