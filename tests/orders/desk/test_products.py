"""Products at the desk: written, pictured, and their stock corrected with a reason."""

from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from PIL import Image

from media_jobs.models import Asset, MediaJob
from media_jobs.tasks import process
from orders.models import Category, Product, ProductMedia, ProductSales, Stock, StockMovement, User
from project.desk.loading import load_desk
from project.jobs.errors import PermanentError
from tests.factories import add_product
from tests.orders.desk.product_form import form
from tests.orders.shop.pages import text_of
from tests.pages import open_page

pytestmark = pytest.mark.django_db


def png() -> bytes:
    file = BytesIO()
    Image.new("RGB", (8, 8), "teal").save(file, "PNG")
    return file.getvalue()


def test_a_new_product_has_its_counters(admin_client: Client) -> None:
    category = Category.objects.create(name="Kitchen", slug="kitchen")

    answer = admin_client.post("/admin/orders/product/add/", form(category, stock=7))

    product = Product.objects.get()
    assert answer.status_code == 302
    assert (product.sku, str(product.price), product.is_active) == ("MUG", "12.30", True)
    assert (product.stock.initial, product.stock.available) == (7, 7)
    assert ProductSales.objects.get(product=product).units == 0


def test_saving_a_product_never_writes_its_stock(admin_client: Client) -> None:
    product = add_product("MUG", stock=7)

    open_page(admin_client, f"/admin/orders/product/{product.pk}/change/").send(
        price="15.00", stock=99, available=99
    )

    product = Product.objects.get()
    assert str(product.price) == "15.00"
    assert Stock.objects.get().available == 7
    assert not StockMovement.objects.exists()


@pytest.mark.parametrize("field", ["name", "description", "name_zh_hans", "shelf"])
def test_marks_that_turn_the_text_are_refused(admin_client: Client, field: str) -> None:
    product = add_product("MUG")
    page = open_page(admin_client, f"/admin/orders/product/{product.pk}/change/")

    answer = page.send(**{field: "a\u202eb"})

    assert "Remove the characters that can" in answer.content.decode()
    assert "\u202e" not in f"{Product.objects.values()[0]}"


def upload(client: Client, product: Product, file: SimpleUploadedFile) -> Any:
    page = open_page(client, f"/admin/orders/product/{product.pk}/change/")
    medium = {"upload": file, "alt": "A mug", "position": 0}
    sent = {f"media-0-{name}": value for name, value in medium.items()}
    return page.send(**{"media-TOTAL_FORMS": 1, **sent})


def test_an_uploaded_picture_is_stored_and_its_renditions_are_queued(
    admin_client: Client, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    product = add_product("MUG")

    answer = upload(admin_client, product, SimpleUploadedFile("mug.png", png()))

    image = ProductMedia.objects.get()
    assert answer.status_code == 302
    assert (image.product, image.alt) == (product, "A mug")
    assert image.asset.content_type == "image/png"
    assert MediaJob.objects.get().source == f"asset:{image.asset_id}"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"<svg onload=alert(1)>", "JPEG, PNG"), (b"\x00\x00\x00\x18ftypheic", "HEIC")],
)
def test_what_is_no_picture_is_refused_with_a_reason(
    content: bytes, reason: str, admin_client: Client, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    product = add_product("MUG")

    answer = upload(admin_client, product, SimpleUploadedFile("mug.png", content))

    assert answer.status_code == 200
    assert reason in answer.content.decode()
    assert not Asset.objects.exists()
    assert list(tmp_path.iterdir()) == []


def correct(client: Client, product: Product, **data: Any) -> Any:
    values = {
        "delta": "",
        "counted": "",
        "reason": "Delivery 4711",
        "shown": 10,
        "last": 0,
        "key": uuid4(),
        **data,
    }
    return client.post(f"/admin/orders/product/{product.pk}/stock/", values)


@pytest.mark.parametrize(
    "data", [{"counted": "1", "shown": 10**30}, {"counted": "1", "shown": -1}, {"delta": 10**30}]
)
def test_a_number_that_no_column_can_keep_is_refused(
    data: dict[str, Any], admin_client: Client
) -> None:
    product = add_product("MUG", stock=10)

    answer = correct(admin_client, product, **data)

    assert answer.status_code == 422
    assert Stock.objects.get().available == 10


def test_a_form_that_is_sent_twice_corrects_once(admin_client: Client) -> None:
    product = add_product("MUG", stock=10)
    key = uuid4()

    answers = [correct(admin_client, product, counted="16", key=key) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert Stock.objects.get().available == 16
    assert StockMovement.objects.get().quantity == 6


def test_a_form_that_comes_back_with_another_change_is_not_taken_for_a_double_click(
    admin_client: Client,
) -> None:
    product = add_product("MUG", stock=10)
    key = uuid4()
    correct(admin_client, product, delta="3", key=key)

    answer = correct(admin_client, product, delta="5", key=key)

    assert answer.status_code == 422
    assert "This form has been written as +3 (Delivery 4711)." in answer.content.decode()
    assert Stock.objects.get().available == 13
    form = answer.context["form"]
    assert (form["shown"].value(), form["delta"].value()) == (13, "5")
    again = correct(admin_client, product, delta="5", key=form["key"].value())
    assert again.status_code == 302
    assert Stock.objects.get().available == 18


def test_the_stock_of_a_product_that_cannot_be_is_not_found(admin_client: Client) -> None:
    assert admin_client.get("/admin/orders/product/abc/stock/").status_code == 404


def test_a_correction_changes_the_stock_and_is_written_down(
    admin_client: Client, admin_user: Any
) -> None:
    product = add_product("MUG", stock=10)

    answer = correct(admin_client, product, delta="-3", reason="Broken")

    movement = StockMovement.objects.get()
    assert answer.status_code == 302
    assert Stock.objects.get().available == 7
    assert (movement.quantity, movement.kind, movement.reason, movement.user) == (
        -3,
        StockMovement.Kind.CORRECTION,
        "Broken",
        admin_user,
    )


def test_what_was_ordered_during_a_count_stays_ordered(admin_client: Client) -> None:
    product = add_product("MUG", stock=10)
    # The page showed 10 and the operator counted 12; meanwhile 4 were ordered.
    Stock.objects.update(available=6)

    correct(admin_client, product, counted="12")

    assert Stock.objects.get().available == 8
    assert StockMovement.objects.get().quantity == 2


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"delta": "-11"}, "There are only 10 left."),
        ({"delta": "1", "reason": "  "}, "This field is required."),
        ({"delta": "0"}, "That would change nothing."),
        ({"counted": "10"}, "That would change nothing."),
        ({}, "Fill in one"),
        ({"delta": "1", "counted": "11"}, "Fill in one"),
        ({"delta": "x"}, "Enter a whole number."),
        ({"delta": "9999999999"}, "less than or equal to"),
    ],
)
def test_a_correction_that_can_not_be_says_why(
    data: dict[str, str], message: str, admin_client: Client
) -> None:
    product = add_product("MUG", stock=10)

    answer = correct(admin_client, product, **data)

    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert Stock.objects.get().available == 10
    assert not StockMovement.objects.exists()


def test_who_may_only_look_can_not_correct_stock(clerk_client: Client) -> None:
    product = add_product("MUG", stock=10)

    answer = correct(clerk_client, product, delta="1")

    assert answer.status_code == 403
    assert Stock.objects.get().available == 10


def test_products_are_taken_off_sale_together(admin_client: Client) -> None:
    chosen = [add_product("A"), add_product("B")]
    add_product("C")

    admin_client.post(
        "/admin/orders/product/",
        {"action": "take_off_sale", "_selected_action": [product.pk for product in chosen]},
    )

    assert [product.sku for product in Product.objects.filter(is_active=True)] == ["C"]


@pytest.mark.parametrize(("level", "skus"), [("none", ["OUT"]), ("few", ["LOW"])])
def test_the_list_is_filtered_by_stock(level: str, skus: list[str], admin_client: Client) -> None:
    add_product("OUT", stock=0)
    add_product("LOW", stock=5)
    add_product("MUCH", stock=6)

    answer = admin_client.get("/admin/orders/product/", {"stock": level})

    assert [product.sku for product in answer.context["cl"].result_list] == skus


def test_a_damaged_replacement_leaves_the_old_picture_and_tells_why(
    admin_client: Client, client: Client, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    product = add_product("MUG")
    upload(admin_client, product, SimpleUploadedFile("mug.png", png()))
    process(str(MediaJob.objects.get().pk))
    medium = ProductMedia.objects.get()
    shown = medium.shown

    damaged = SimpleUploadedFile("damaged.png", png()[:-30])
    page = f"/admin/orders/product/{product.pk}/change/"
    assert upload(admin_client, product, damaged).status_code == 302
    job = MediaJob.objects.get(status="queued")
    with pytest.raises(PermanentError):
        process(str(job.pk))

    medium = ProductMedia.objects.get()
    assert medium.replacement == job.asset
    assert medium.shown == shown
    product.refresh_from_db()
    assert "<picture>" in client.get(product.get_absolute_url()).content.decode()
    assert "damaged or cut short" in admin_client.get(page).content.decode()


def test_who_may_only_look_sees_the_translations(client: Client, admin_client: Client) -> None:
    mug = add_product("MUG")
    Product.objects.filter(pk=mug.pk).update(
        options=["Size"], texts={"zh-hans": {"name": "蓝色杯子", "options": ["尺寸"]}}
    )
    viewer = User.objects.create_user("vera", is_staff=True)
    viewer.groups.add(Group.objects.get(name="Viewer"))
    client.force_login(viewer)

    page = text_of(client.get(f"/admin/orders/product/{mug.pk}/change/"))

    assert "Name (简体中文) 蓝色杯子" in page
    assert "Options (简体中文) 尺寸" in page
    assert "Alternative text (简体中文)" in page
    assert "zh hans" not in page.lower()
    assert "Upload" not in page


def test_no_row_of_a_form_has_more_fields_than_fit_beside_one_another(
    rf: RequestFactory, admin_user: User
) -> None:
    request = rf.get("/")
    request.user = admin_user
    load_desk()

    crowded = [
        (desk.opts.label, row)
        for desk in admin.site._registry.values()
        for _name, options in desk.get_fieldsets(request, None)
        for row in options["fields"]
        if isinstance(row, list | tuple) and len(row) > 2
    ]

    assert crowded == []
