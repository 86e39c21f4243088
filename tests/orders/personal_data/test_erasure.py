"""After an erasure nothing in the database and the media names the person; the books are as before.

A control finds each piece before. The processes that die are in test_interrupted.
"""

from collections.abc import Callable
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pytest
from celery.exceptions import Ignore
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, transaction
from django.db.models.functions import Now
from django.test import Client

from media_jobs.models import MediaJob
from notifications.models import Notification
from orders import tasks
from orders.desk_jobs.kinds import EXPORT_LIST
from orders.desk_jobs.progress import store_report
from orders.desk_jobs.queue import queue_desk_job
from orders.lifecycle.transitions import refund
from orders.models import DeskJob, ErasedAddress, Invoice, Order, StockMovement, User
from orders.personal_data.erased import digest_of
from orders.personal_data.jobs import queue_erasure, queue_export
from orders.personal_data.person import find_person
from project.jobs.errors import TransientError
from project.jobs.run import run_job
from tests.database import this_database
from tests.order_states import placed
from tests.orders.invoicing.company import set_company
from tests.orders.personal_data.dump import found
from tests.orders.personal_data.shopper import EMAIL, NAME, PHONE, PIECES, Shopper, shopper
from tests.orders.personal_data.traces import drift, left_over

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]


@pytest.fixture
def mina(client: Client, settings: Any, tmp_path: Path) -> Shopper:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    settings.SMS_URL = "json://gateway.example/sms"
    settings.KEEP_INVOICES_YEARS = 0
    set_company(settings)
    return shopper(client, boss=User.objects.create_superuser("boss"))


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("person", *arguments, stdout=out)
    return out.getvalue()


def books() -> list[Any]:
    """Return all amounts, units, states and days: what must be as it was."""
    statements = (
        "SELECT id, number, door, status, language, currency, items_total, delivery_total, total,"
        " delivery, payment_method, placed_at, address ->> 'country' FROM orders_order",
        "SELECT id, order_id, product_id, sku, name, quantity, unit_price, total, refunded"
        " FROM orders_orderline",
        "SELECT id, order_id, method, provider, amount, undoes_id, created_at FROM orders_payment",
        "SELECT id, order_id, amount, restocked, status, created_at, paid_out_at"
        " FROM orders_refund",
        "SELECT id, refund_id, line_id, quantity FROM orders_refundline",
        "SELECT id, order_id, kind, number, refund_id, issued_at, data - 'buyer' - 'reason'"
        " FROM orders_invoice",
        "SELECT id, product_id, order_id, refund_id, kind, quantity, user_id, key, created_at"
        " FROM orders_stockmovement",
        "SELECT * FROM orders_stock",
        "SELECT order_id, product_id, units, amount FROM orders_salesentry",
        "SELECT * FROM orders_productsales",
        "SELECT id, order_id, kind, detail -> 'amount', user_id, created_at FROM orders_orderevent",
    )
    with connection.cursor() as cursor:
        kept = []
        for statement in statements:
            cursor.execute(f"{statement} ORDER BY 1")
            kept.append(cursor.fetchall())
        return kept


def test_nothing_names_the_person_afterwards_and_the_books_are_as_before(mina: Shopper) -> None:
    export = queue_export(find_person(EMAIL), user_id=mina.user.pk)
    run_job(DeskJob, export.pk)
    before = books()
    control = {piece: found(piece) for piece in PIECES}
    assert {piece for piece, places in control.items() if not places} == set()
    files = [name for name in mina.files if not default_storage.exists(name)]
    assert files == []

    says = command("erase", f" {EMAIL.upper()}")

    assert "Erased." in says
    assert left_over() == {}
    assert [name for name in mina.files if default_storage.exists(name)] == []
    assert default_storage.exists("desk/papers/others.pdf")
    assert books() == before
    assert drift() == []
    assert StockMovement.objects.filter(order=mina.order).exists()
    assert not User.objects.filter(pk=mina.user.pk).exists()
    assert ErasedAddress.objects.filter(digest=digest_of(EMAIL)).exists()


def test_the_second_time_there_is_nothing_more_to_do(mina: Shopper) -> None:
    command("erase", EMAIL)
    orders = list(Order.objects.order_by("pk").values())

    says = command("erase", EMAIL)

    assert "nothing to erase" in says
    assert list(Order.objects.order_by("pk").values()) == orders


def test_an_export_that_is_written_meanwhile_leaves_no_file(
    mina: Shopper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker has read the person when the erasure ends, and then stores its zip."""
    export = queue_export(find_person(EMAIL), user_id=None)

    def store_late(job: DeskJob, file: Any, *, name: str) -> None:
        command("erase", EMAIL)
        store_report(job, file, name=name)

    monkeypatch.setattr("orders.personal_data.jobs.store_report", store_late)

    with pytest.raises(Ignore):
        tasks.work(str(export.pk))

    assert stored_files("desk/" + str(export.pk)) == []


def test_a_list_that_is_written_meanwhile_is_begun_anew(
    mina: Shopper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker has read the person's orders when the erasure ends, and then stores the list."""
    export = queue_desk_job(
        EXPORT_LIST,
        user_id=User.objects.get(username="boss").pk,
        context={"list": "orders.order", "sheet": "orders", "query": ""},
    )

    def store_late(job: DeskJob, file: Any, *, name: str) -> None:
        if Order.objects.exclude(erased_at=None).count() == 0:
            command("erase", EMAIL)
        store_report(job, file, name=name)

    monkeypatch.setattr("orders.desk_jobs.exports.store_report", store_late)

    with pytest.raises(Ignore):
        tasks.work(str(export.pk))
    files = stored_files("desk/" + str(export.pk))
    tasks.work(str(export.pk))

    export.refresh_from_db()
    assert files == []
    with default_storage.open(str(export.report.name)) as file:
        sheet = openpyxl.load_workbook(BytesIO(file.read())).worksheets[0]
    names = {cell.value for row in sheet.iter_rows() for cell in row}
    assert "[erased]" in names
    assert NAME not in names


def stored_files(folder: str) -> list[str]:
    """Return all files below a folder of the storage."""
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return []
    below = [name for each in folders for name in stored_files(f"{folder}/{each}")]
    return [f"{folder}/{name}" for name in files] + below


def test_orders_of_one_person_have_nothing_in_common_afterwards(mina: Shopper) -> None:
    command("erase", EMAIL)

    emails = set(Order.objects.exclude(erased_at=None).values_list("email", flat=True))
    assert len(emails) == 2
    order = Order.objects.get(pk=mina.order.pk)
    assert (order.name, order.phone, order.user) == ("[erased]", "", None)
    assert order.address == {"line1": "[erased]", "country": "DE"}
    assert order.account_deleted


def test_an_order_of_another_account_loses_the_address_and_nothing_else(mina: Shopper) -> None:
    command("erase", EMAIL)

    other = Order.objects.get(pk=mina.other.pk)
    assert other.name == "A Friend"
    assert other.user_id == mina.other.user_id
    assert other.erased_at is None
    assert other.email == f"erased-{other.number}@erased.invalid"


def test_an_invoice_names_its_buyer_as_long_as_the_law_wants(mina: Shopper, settings: Any) -> None:
    settings.KEEP_INVOICES_YEARS = 10

    command("erase", EMAIL)

    left = left_over()
    places = {place for places in left.values() for place in places}
    assert places == {"orders_invoice", "media_jobs_mediajob"}  # the invoice, and its paper's job
    assert not {EMAIL, PHONE} & left.keys()
    jobs = MediaJob.objects.all()
    assert {job.kind for job in jobs if NAME in str(job.context)} == {"invoice", "credit_note"}


def test_an_old_invoice_loses_its_buyer_by_the_daily_pruning(mina: Shopper, settings: Any) -> None:
    settings.KEEP_INVOICES_YEARS = 10
    command("erase", EMAIL)
    from project.schedule.prune import prune

    prune()
    assert found("Quastenflosse")
    settings.KEEP_INVOICES_YEARS = 0

    deleted = prune()

    assert deleted["buyers of erased persons"] == 2
    assert found("Quastenflosse") == set()
    assert drift() == []


@pytest.mark.parametrize(
    "change",
    [
        lambda invoice: {"total": "0.01"},
        lambda invoice: {"buyer": ["Somebody Else"]},
        lambda invoice: {"buyer": ["[erased]"], "total": "0.01"},
        lambda invoice: {"buyer": ["[erased]"], "reason": "another"},
    ],
)
def test_an_invoice_takes_no_other_change(
    mina: Shopper, change: Callable[[Invoice], dict[str, Any]]
) -> None:
    invoice = Invoice.objects.get(order=mina.order, kind="invoice")

    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).update(data=invoice.data | change(invoice))


def test_an_open_order_is_a_reason_against_it_and_nothing_changes(mina: Shopper) -> None:
    order = placed(("TEA", 1), email=EMAIL)
    messages = Notification.objects.count()

    with pytest.raises(CommandError, match=f"{order} is still to be paid or delivered"):
        command("erase", EMAIL)

    assert not DeskJob.objects.filter(kind="erase_person").exists()
    assert Notification.objects.count() == messages
    assert User.objects.get(pk=mina.user.pk).is_active


def test_an_account_of_the_staff_is_not_erased(mina: Shopper) -> None:
    User.objects.filter(pk=mina.user.pk).update(is_staff=True)

    with pytest.raises(CommandError, match="works at the desk"):
        command("erase", EMAIL)


def test_an_account_that_the_audit_log_names_is_emptied(mina: Shopper) -> None:
    from project.desk.audit_log import record_action

    record_action(user_id=mina.user.pk, label="Retry", rows=[mina.other])

    command("erase", EMAIL)

    user = User.objects.get(pk=mina.user.pk)
    assert (user.username, user.email, user.name, user.phone) == (f"erased-{user.pk}", "", "", "")
    assert not user.is_active
    assert not user.has_usable_password()
    assert left_over() == {}


def test_a_refund_after_the_erasure_tells_nobody(mina: Shopper) -> None:
    from uuid import uuid4

    command("erase", EMAIL)

    refund(order_id=mina.order.pk, refund_id=uuid4(), restock=False)

    assert not Notification.objects.filter(order_id=mina.order.pk).exists()


def test_a_row_that_somebody_has_locked_holds_it_up_and_is_tried_again(mina: Shopper) -> None:
    job = queue_erasure(find_person(EMAIL), user_id=None)
    with psycopg.connect(this_database()) as other:
        other.execute("SELECT FROM orders_order WHERE id = %s FOR UPDATE", [mina.order.pk])
        with pytest.raises(TransientError, match="locked"):
            run_job(DeskJob, job.pk)
    job.refresh_from_db()
    assert (job.status, job.lost) == ("queued", 0)
    DeskJob.objects.filter(pk=job.pk).update(run_after=Now())

    run_job(DeskJob, job.pk)

    assert left_over() == {}


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(CommandError, match="isn't an e-mail address"):
        command("erase", "nobody")
