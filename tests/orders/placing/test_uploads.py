"""Orders with uploads: one line, one stock, but each upload for its own units; each used once."""

from dataclasses import replace
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from media_jobs.models import MediaJob
from orders.models import Order, OrderLine, Product, Stock, Upload
from orders.placing import uploads as upload_taking
from orders.placing.errors import InvalidOrder, KeyReused, ShopBusy
from orders.placing.placement import Placement, place_order
from orders.placing.request import OrderRequest
from project.monitoring.audit import run_audit
from tests.database import this_database
from tests.factories import add_product, new_key, order_request, uploaded_file
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])


@pytest.fixture(autouse=True)
def media_folder(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")


@pytest.fixture(autouse=True)
def mug() -> Product:
    return add_product("MUG", stock=10, personalisation="picture")


def drift() -> dict[str, int]:
    run = run_audit()
    return {found["name"]: found["violations"] for found in run.findings if found["violations"]}


def errors_of(request: OrderRequest) -> dict[str, str]:
    with pytest.raises(InvalidOrder) as refused:
        place_order(request)
    return {error.field: error.message for error in refused.value.errors}


def test_an_order_takes_its_upload_and_queues_its_print_file(mug: Product) -> None:
    upload = uploaded_file()

    placed = place_order(order_request(("MUG", 2, upload.token), language="zh-hans"))

    upload.refresh_from_db()
    job = MediaJob.objects.get(kind="print")
    assert job.pk.version == 7  # a time-ordered key
    assert (upload.line.order, upload.line.product, upload.quantity) == (placed.order, mug, 2)
    assert (job.order_id, job.source, job.recipe) == (
        placed.order.pk,
        f"upload:{upload.token}",
        "print_picture",
    )
    assert job.context == {
        "number": placed.order.display_number,
        "file": upload.file.name,
        "sha256": upload.sha256,
        "name": "ada.png",
        "sku": "MUG",
        "product": mug.name,
        "quantity": 2,
        "language": "zh-hans",
    }
    assert drift() == {}


def test_a_sku_with_several_uploads_is_one_line_with_each_uploads_units() -> None:
    ada, bob = uploaded_file(), uploaded_file()

    place_order(
        order_request(
            ("MUG", 1, ada.token), ("MUG", 2, bob.token), ("MUG", 1), ("MUG", 1, ada.token)
        )
    )

    line = OrderLine.objects.get()
    assert line.quantity == 5
    assert dict(line.uploads.values_list("token", "quantity")) == {ada.token: 2, bob.token: 2}
    assert Stock.objects.get().available == 5
    assert MediaJob.objects.filter(kind="print").count() == 2
    assert drift() == {}


def test_a_plain_order_asks_nothing_more() -> None:
    place_order(order_request(("MUG", 1)))  # the first one also connects

    with CaptureQueriesContext(connection) as ours:
        place_order(order_request(("MUG", 1)))

    assert len(ours) == 1


def test_the_same_key_and_upload_is_the_same_order_another_upload_another_one() -> None:
    upload = uploaded_file()
    request = order_request(("MUG", 1, upload.token))
    first = place_order(request)

    again = place_order(request)
    with pytest.raises(KeyReused):
        place_order(order_request(("MUG", 1, uploaded_file().token), key=request.key))
    with pytest.raises(KeyReused):
        place_order(order_request(("MUG", 1), key=request.key))

    assert (again.order, again.replayed) == (first.order, True)
    assert Order.objects.count() == 1
    assert MediaJob.objects.filter(kind="print").count() == 1


def test_an_upload_is_used_once() -> None:
    upload = uploaded_file()
    place_order(order_request(("MUG", 1, upload.token)))

    errors = errors_of(order_request(("MUG", 1), ("MUG", 1, upload.token)))

    assert errors == {
        "lines.1.upload": "This upload was used or has expired. Upload the file again."
    }
    assert Stock.objects.get().available == 9


def test_uploads_that_dont_fit_their_product_are_refused() -> None:
    add_product("PLAIN")
    add_product("FILM", personalisation="video", requires_upload=True)
    picture, unknown = uploaded_file(), "00000000-0000-4000-8000-000000000000"

    assert errors_of(order_request(("PLAIN", 1, picture.token))) == {
        "lines.0.upload": "“Thing PLAIN” can't be personalised."
    }
    assert errors_of(order_request(("FILM", 1, picture.token))) == {
        "lines.0.upload": "This is a picture. Choose a video."
    }
    assert errors_of(order_request(("FILM", 1))) == {
        "lines.0.upload": "“Thing FILM” needs a picture or video of yours."
    }
    assert list(errors_of(order_request(("MUG", 1, unknown)))) == ["lines.0.upload"]
    add_product("CUP", personalisation="either")
    assert errors_of(order_request(("MUG", 1, picture.token), ("CUP", 1, picture.token))) == {
        "lines.1.upload": "Upload the file once for each product."
    }
    assert not Order.objects.exists()


def test_two_orders_that_want_the_same_upload_at_once_are_one(two_processes: None) -> None:
    add_product("CUP", stock=100, personalisation="either")
    upload = uploaded_file()

    outcomes = at_once([order_request(("CUP", 1, upload.token)) for _ in range(12)])

    assert sum(isinstance(outcome, Placement) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, InvalidOrder) for outcome in outcomes) == 11
    assert Order.objects.count() == MediaJob.objects.filter(kind="print").count() == 1
    assert Stock.objects.get(product__sku="CUP").available == 99


def test_orders_of_different_products_cant_share_an_upload_either(two_processes: None) -> None:
    # No stock row in common: nothing but the upload's own lock is between them.
    skus = [f"CUP-{number}" for number in range(8)]
    for sku in skus:
        add_product(sku, personalisation="either")
    upload = uploaded_file()

    outcomes = at_once([order_request((sku, 1, upload.token)) for sku in skus])

    assert sum(isinstance(outcome, Placement) for outcome in outcomes) == 1
    assert Order.objects.count() == 1


def test_control_without_the_uploads_lock_two_orders_take_it(
    two_processes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    skus = [f"CUP-{number}" for number in range(8)]
    for sku in skus:
        add_product(sku, personalisation="either")
    upload = uploaded_file()
    seen = f"WITH seen AS MATERIALIZED ({upload_taking._UNTAKEN})"
    slowly = f"{seen} SELECT token FROM seen, pg_sleep(0.3)"
    # So the words behind it, ORDER BY and FOR UPDATE, are a comment.
    monkeypatch.setattr(upload_taking, "_UNTAKEN", f"{slowly} --")
    constraint = "ALTER TABLE media_jobs_mediajob {} CONSTRAINT one_job_per_recipe {}"
    with connection.cursor() as cursor:
        cursor.execute(constraint.format("DROP", ""))
    try:
        outcomes = at_once([order_request((sku, 1, upload.token)) for sku in skus])
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM media_jobs_mediajob")
            cursor.execute(constraint.format("ADD", "UNIQUE (source, recipe)"))

    assert sum(isinstance(outcome, Placement) for outcome in outcomes) > 1


def test_an_upload_that_somebody_keeps_locked_stops_no_other_order() -> None:
    upload, other = uploaded_file(), uploaded_file()
    with psycopg.connect(this_database()) as session:
        session.execute("SELECT 1 FROM orders_upload WHERE token = %s FOR UPDATE", [upload.token])

        outcomes = at_once(
            [
                order_request(("MUG", 1, upload.token)),
                order_request(("MUG", 1, other.token)),
                order_request(("MUG", 1)),
            ]
        )

        session.rollback()

    assert [type(outcome) for outcome in outcomes] == [ShopBusy, Placement, Placement]
    assert isinstance(place_order(order_request(("MUG", 1, upload.token))), Placement)
    assert drift() == {}


def test_one_key_with_an_upload_many_times_at_once_is_one_order(two_processes: None) -> None:
    upload = uploaded_file()
    request = order_request(("MUG", 1, upload.token), key=new_key())

    outcomes = at_once([replace(request) for _ in range(12)])

    assert {outcome.order.pk for outcome in outcomes} == set(
        Order.objects.values_list("pk", flat=True)
    )
    assert sum(not outcome.replayed for outcome in outcomes) == 1


def test_an_upload_that_is_pruned_while_its_order_waits_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from orders.placing import placement
    from orders.placing.upload_store import discard

    upload = uploaded_file()
    submit = placement.submit

    def late(draft: Any) -> Placement:
        assert discard(upload.token)
        return submit(draft)

    monkeypatch.setattr(placement, "submit", late)

    errors = errors_of(order_request(("MUG", 1, upload.token)))

    assert list(errors) == ["lines.0.upload"]
    assert Stock.objects.get().available == 10
    assert not Upload.objects.exists()


def test_the_audit_finds_an_upload_without_its_job() -> None:
    place_order(order_request(("MUG", 1, uploaded_file().token)))
    MediaJob.objects.filter(kind="print").delete()

    assert drift() == {
        "orders: an upload of an order has its job, and no line more than its units": 1
    }
