"""An order waits until its files have been decoded."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now

from media_jobs.models import MediaJob
from media_jobs.tasks import process
from orders.models import Order, Stock, Upload
from orders.placing import upload_checks
from orders.placing.errors import InvalidOrder
from orders.placing.placement import place_order
from orders.placing.upload_checks import CheckState, checks_of, wait_for_checks
from orders.placing.upload_store import discard
from tests.factories import add_product, end_check, order_request, uploaded_file
from tests.media_jobs.originals import alpha_png, camera_jpeg

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])


@pytest.fixture(autouse=True)
def mug(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    add_product("MUG", stock=10, personalisation="either")


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Orders don't wait for checks."""
    monkeypatch.setattr(upload_checks, "WAIT_SECONDS", 0)


def refusal_of(upload: Upload) -> str:
    with pytest.raises(InvalidOrder) as refused:
        place_order(order_request(("MUG", 1, upload.token)))
    (error,) = refused.value.errors
    assert error.field == "lines.0.upload"
    assert not Order.objects.exists()
    assert Stock.objects.get().available == 10
    return error.message


@pytest.mark.usefixtures("at_once")
def test_an_order_with_an_unchecked_file_is_refused_and_takes_nothing() -> None:
    upload = uploaded_file(checked=False)

    assert refusal_of(upload) == "The file is still being checked. Try again in a moment."
    MediaJob.objects.update(created_at=Now() - timedelta(minutes=2))
    assert refusal_of(upload) == "The file could not be checked yet. Try again in a few minutes."


def test_a_file_that_cant_be_used_is_refused_with_its_reason() -> None:
    upload = uploaded_file(checked=False)
    end_check(upload, refusal="The picture is damaged.")

    assert refusal_of(upload) == "The picture is damaged."


@pytest.mark.parametrize("status", ["failed", "cancelled", "unknown"])
def test_a_file_whose_check_never_ended_well_is_refused(status: str) -> None:
    upload = uploaded_file(checked=False)
    MediaJob.objects.update(status=status, error="worker died 3 times")

    assert refusal_of(upload) == "The file could not be opened here. Choose another one."


def test_the_worker_decides_and_then_the_order_is_placed() -> None:
    good, bad = uploaded_file(camera_jpeg(1), checked=False), uploaded_file(checked=False)
    for job in MediaJob.objects.all():
        process(str(job.pk))

    assert "damaged or cut short" in refusal_of(bad)
    place_order(order_request(("MUG", 1, good.token)))

    print_job = MediaJob.objects.get(kind="print")
    process(str(print_job.pk))
    assert print_job.renditions.filter(name="print").exists()


def test_an_order_waits_for_a_check_that_ends_in_a_moment() -> None:
    upload = uploaded_file(alpha_png(), checked=False)

    def check() -> None:
        time.sleep(0.3)
        end_check(upload)
        connection.close()

    worker = threading.Thread(target=check)
    worker.start()
    try:
        placement = place_order(order_request(("MUG", 1, upload.token)))
    finally:
        worker.join()

    assert placement.order.number


@pytest.mark.usefixtures("at_once")
def test_control_without_waiting_that_order_is_refused() -> None:
    assert "still being checked" in refusal_of(uploaded_file(checked=False))


def test_control_without_the_check_a_file_that_cant_be_used_is_paid_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upload = uploaded_file(checked=False)
    end_check(upload, refusal="The picture is damaged.")
    monkeypatch.setattr("orders.placing.personalising.check_error", lambda _check: "")

    place_order(order_request(("MUG", 1, upload.token)))

    assert Order.objects.count() == 1


def test_no_more_orders_wait_than_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_checks, "waiting_orders", threading.BoundedSemaphore(1))
    monkeypatch.setattr(upload_checks, "WAIT_SECONDS", 30)
    upload = uploaded_file(checked=False)
    with upload_checks.waiting_orders:
        started = time.monotonic()

        wait_for_checks([str(upload.token)])

    assert time.monotonic() - started < 5


def test_an_order_without_a_file_asks_for_no_check(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        wait_for_checks({})
        assert checks_of([]) == {}


def test_an_upload_from_before_there_were_checks_gets_one() -> None:
    upload = uploaded_file(alpha_png(), checked=False)
    MediaJob.objects.all().delete()

    first, again = checks_of([upload]), checks_of([upload])

    assert first == again == {upload.token: upload_checks.Check(CheckState.CHECKING)}
    process(str(MediaJob.objects.get().pk))
    assert checks_of([upload])[upload.token].state == CheckState.USABLE


def test_a_check_goes_with_its_upload() -> None:
    kept, gone = uploaded_file(), uploaded_file()

    assert discard(gone.token)

    assert MediaJob.objects.get().source == f"upload:{kept.token}"
