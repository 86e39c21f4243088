"""Whole imports: what they write, report, refuse, and don't do twice."""

import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections

from media_jobs.models import Asset, MediaJob
from orders.imports import pictures as pictures_module
from orders.imports import run as module
from orders.imports.package import folder_package
from orders.imports.report import Outcome, Report
from orders.imports.run import import_products
from orders.models import Category, Product, Stock, StockMovement
from tests.factories import add_product
from tests.live import wait_until
from tests.orders.imports.packages import detail, folder_of, mug, outcomes, png, table

APPS = ["project", "notifications", "media_jobs", "orders"]
pytestmark = pytest.mark.django_db(transaction=True, available_apps=APPS)


def run(folder: Path, *rows: dict[str, str], dry_run: bool = False, **options: Any) -> Report:
    folder_of(folder, {"products.csv": table(*rows)})
    return import_products(folder_package(folder), dry_run=dry_run, **options)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the pictures red.png and blue.png."""
    return folder_of(tmp_path / "shop", {"red.png": png("red"), "blue.png": png("blue")})


def test_a_new_product_has_all_that_its_row_says(folder: Path) -> None:
    report = run(
        folder,
        mug(description="Keeps its colour.", on_sale="no", pictures="red.png|blue.png", alt="R|B"),
    )

    product = Product.objects.get()
    images = list(product.media.all())
    assert outcomes(report) == {"MUG": Outcome.CREATED}
    assert (report.categories, report.pictures) == (1, 2)
    assert (product.sku, product.name, product.slug) == ("MUG", "Mug MUG", "mug-mug")
    assert (product.price, product.is_active) == (Decimal("12.30"), False)
    assert (product.stock.initial, product.stock.available) == (7, 7)
    assert product.category.name == "Kitchen"
    assert [(image.alt, image.asset.name) for image in images] == [
        ("R", "red.png"),
        ("B", "blue.png"),
    ]
    assert MediaJob.objects.filter(recipe="product").count() == 2


def test_importing_again_changes_nothing(folder: Path) -> None:
    rows = [mug(pictures="red.png", alt="R", on_sale="yes"), mug("CUP", pictures="red.png")]
    run(folder, *rows)
    before = list(Product.objects.values()), list(MediaJob.objects.values())

    report = run(folder, *rows)

    assert set(outcomes(report).values()) == {Outcome.UNCHANGED}
    assert (list(Product.objects.values()), list(MediaJob.objects.values())) == before
    assert Asset.objects.count() == 1


def test_one_picture_under_two_names_is_one_picture(folder: Path) -> None:
    folder_of(folder, {"copy.png": png("red")})
    row = mug(pictures="red.png|copy.png", alt="Red|A copy")

    first, again = run(folder, row), run(folder, row)

    assert first.pictures == 1
    assert outcomes(again) == {"MUG": Outcome.UNCHANGED}
    assert Product.objects.get().media.get().alt == "Red"


def test_a_known_product_takes_what_differs_and_nothing_else(folder: Path) -> None:
    product = add_product("MUG", price="10.00")
    other = {"name": product.name, "category": "THINGS", "stock": ""}

    report = run(folder, mug(**other, pictures="red.png"))

    product.refresh_from_db()
    assert outcomes(report) == {"MUG": Outcome.CHANGED}
    assert detail(report, "MUG") == "price: 10.00 → 12.30; 1 new picture"
    assert (product.price, product.category.name) == (Decimal("12.30"), "Things")
    assert product.media.count() == 1


def test_the_stock_of_a_known_product_stays_and_the_report_says_so(folder: Path) -> None:
    add_product("MUG", stock=100)

    report = run(folder, {"sku": "MUG", "stock": "7"})

    assert outcomes(report) == {"MUG": Outcome.UNCHANGED}
    assert "stock stays 100, not 7" in detail(report, "MUG")
    assert Stock.objects.get().available == 100
    assert not StockMovement.objects.exists()


def test_what_was_sold_since_is_no_difference(folder: Path) -> None:
    run(folder, mug(stock="7"))
    Stock.objects.update(available=3)

    report = run(folder, mug(stock="7"))

    assert (outcomes(report), detail(report, "MUG")) == ({"MUG": Outcome.UNCHANGED}, "")


def test_a_dry_run_says_the_same_as_the_import_and_writes_nothing(
    folder: Path, media_folder: Path
) -> None:
    add_product("CUP", price="10.00")
    rows = [mug(pictures="red.png"), mug("CUP", price="11.00", stock=""), mug("JUG", price="x")]

    rehearsed = run(folder, *rows, dry_run=True)
    left = Product.objects.count(), Asset.objects.count(), media_folder.exists()
    imported = run(folder, *rows)

    assert left == (1, 0, False)
    assert rehearsed.rows == imported.rows
    assert rehearsed.counts() == imported.counts()


def test_a_bad_row_does_not_spoil_its_batch(folder: Path) -> None:
    folder_of(folder, {"photo.jpg": b"not a picture", "empty.png": b""})

    report = run(
        folder,
        mug("GOOD"),
        mug("COMMA", price="12,30"),
        mug("TWICE"),
        mug("TWICE"),
        mug("LOST", pictures="gone.png"),
        mug("BAD", pictures="red.png|photo.jpg"),
        mug("EMPTY", pictures="empty.png"),
        mug("NAMELESS", name=""),
        mug("ALSO-GOOD", pictures="red.png"),
    )

    assert set(Product.objects.values_list("sku", flat=True)) == {"GOOD", "ALSO-GOOD"}
    assert report.counts()["refused"] == 7
    assert detail(report, "COMMA") == "price: write “12.30” instead of “12,30”"
    assert "isn't among the files" in detail(report, "LOST")
    assert "“photo.jpg”: This file can't be used" in detail(report, "BAD")
    assert "is empty" in detail(report, "EMPTY")
    assert detail(report, "NAMELESS") == "name: a new product needs it"
    assert {row.detail for row in report.rows if row.sku == "TWICE"} == {
        "sku: is in the rows 4, 5; keep one of them"
    }


def test_a_row_that_the_database_refuses_is_taken_back_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.imports.products.free_slug", lambda *names: names[1])

    report = run(folder, mug("A", name="Same", category="Kitchen"), mug("B", name="Same"), mug("C"))

    assert outcomes(report) == {
        "A": Outcome.CREATED,
        "B": Outcome.REFUSED,
        "C": Outcome.CREATED,
    }
    assert Stock.objects.count() == 2


def test_products_of_one_name_and_of_other_scripts_get_slugs_of_their_own(folder: Path) -> None:
    run(
        folder,
        mug("A", name="Mug"),
        mug("B", name="Mug"),
        mug("茶", name="杯"),
        mug("咖", name="杯"),
    )

    slugs = Product.objects.order_by("pk").values_list("slug", flat=True)
    assert list(slugs) == ["mug", "mug-b", "product", "product-2"]
    assert Category.objects.count() == 1


def test_pictures_are_stored_in_several_threads_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(2, timeout=20)
    names: set[str] = set()
    store = pictures_module.store_asset

    def meet(*args: Any, **options: Any) -> Asset:
        names.add(threading.current_thread().name)
        together.wait()  # two threads must be here at the same time
        return store(*args, **options)

    monkeypatch.setattr(pictures_module, "store_asset", meet)

    report = run(folder, mug(pictures="red.png|blue.png"))

    assert outcomes(report) == {"MUG": Outcome.CREATED}
    assert len(names) == 2
    assert all(name.startswith("import-pictures") for name in names)


def test_the_control_with_one_thread_never_meets_another(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(2, timeout=0.2)
    monkeypatch.setattr(pictures_module, "store_asset", lambda *a, **o: together.wait())
    files = [folder_package(folder_of(folder, {"p.csv": b"sku\nA\n"})).find("red.png")] * 2

    taken = list(pictures_module.store_pictures(files, dry_run=False, threads=1))

    assert [type(outcome) for _name, outcome in taken] == [pictures_module.Unusable] * 2


def test_a_picture_that_can_not_be_stored_does_not_stop_the_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = pictures_module.store_asset

    def disk_full_for_red(file: Any, *, name: str) -> Asset:
        if name == "red.png":
            raise OSError("No space left on device")
        return store(file, name=name)

    monkeypatch.setattr(pictures_module, "store_asset", disk_full_for_red)

    report = run(folder, mug("RED", pictures="red.png"), mug("BLUE", pictures="blue.png"))

    assert outcomes(report) == {"RED": Outcome.REFUSED, "BLUE": Outcome.CREATED}
    assert "No space left" in detail(report, "RED")


class Stop(Exception):
    """Stands for a process that dies, or a job that is cancelled."""


def test_an_import_that_is_stopped_ends_its_threads_and_keeps_what_was_committed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH_ROWS", 2)
    rows = [mug(f"SKU-{number}", pictures="red.png") for number in range(6)]

    def stop_in_the_third_batch(done: int, total: int) -> None:
        if done >= 5:
            raise Stop

    with pytest.raises(Stop):
        run(folder, *rows, on_progress=stop_in_the_third_batch)
    kept = Product.objects.count()
    again = run(folder, *rows)

    assert kept == 4
    assert again.counts()["unchanged"] == 4
    assert again.counts()["created"] == 2
    assert Product.objects.count() == Stock.objects.count() == 6
    assert not [
        thread for thread in threading.enumerate() if thread.name.startswith("import-pictures")
    ]


@pytest.fixture
def other_import() -> Iterator[None]:
    """Another process' import is going on."""
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [module.LOCK])
    yield
    other.close()


def test_two_imports_write_one_after_the_other(folder: Path, other_import: None) -> None:
    waited: list[int] = []

    def look(done: int, total: int) -> None:
        waited.append(done)
        if len(waited) == 3:
            raise Stop  # told by the one who waits: a cancel is heard meanwhile

    with pytest.raises(Stop):
        run(folder, mug(), on_progress=look)

    assert not Product.objects.exists()
    assert outcomes(run(folder, mug(), dry_run=True)) == {"MUG": Outcome.CREATED}


def test_threads_leave_no_connections_behind(folder: Path) -> None:
    def sessions() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            )
            return int(cursor.fetchone()[0])

    before = sessions()
    run(folder, mug(pictures="red.png|blue.png"))

    wait_until(lambda: sessions() <= before, seconds=20)
