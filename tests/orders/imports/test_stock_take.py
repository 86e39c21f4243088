"""A stock-take: a counted list, its dry run, and what came of it beside orders and colleagues."""

import threading
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.db.models import F
from django.test import Client

from orders.catalogue import stock as stock_module
from orders.catalogue.ledger import read_ledger
from orders.catalogue.stock import CorrectedMeanwhileError, correct_stock, last_correction_id
from orders.desk_jobs.kinds import TAKE_STOCK
from orders.imports.errors import ImportRefusedError
from orders.imports.package import Package, PackedFile
from orders.imports.report import Outcome
from orders.imports.stock_take import Counted, apply, compare
from orders.models import DeskJob, Product, Stock, StockMovement, User
from orders.models.stock import BY_HAND
from project.jobs.errors import LostClaimError
from project.jobs.run import run_job
from tests.factories import add_product

pytestmark = pytest.mark.django_db(transaction=True)
Kind = StockMovement.Kind


def listed(text: str) -> list[Counted]:
    data = text.encode()
    return compare(Package([PackedFile("counted.csv", len(data), lambda: BytesIO(data))]))


def order(product: Product, units: int) -> None:
    """Take units as an order does: the counter alone matters here."""
    Stock.objects.filter(pk=product.pk).update(available=F("available") - units)


def receive(product: Product, units: int) -> None:
    correct_stock(
        product_id=product.pk, delta=units, reason="Delivery", user_id=None, kind=Kind.RECEIPT
    )


def available(product: Product) -> int:
    return Stock.objects.get(pk=product.pk).available


def test_the_dry_run_shows_the_differences_and_writes_nothing() -> None:
    mug, cup = add_product("MUG", stock=10), add_product("CUP", stock=5)

    rows = listed("sku,counted\nMUG,8\nCUP,5\nNONE,1\nMUG2,x\n")

    assert [(row.sku, row.outcome, row.detail) for row in rows[:2]] == [
        ("MUG", Outcome.CHANGED, "10 → 8 (-2)"),
        ("CUP", Outcome.UNCHANGED, ""),
    ]
    assert [row.outcome for row in rows[2:]] == [Outcome.REFUSED] * 2
    assert (available(mug), available(cup)) == (10, 5)
    assert not StockMovement.objects.exists()


def test_an_empty_cell_is_not_counted_and_a_repeated_sku_is_refused() -> None:
    add_product("MUG", stock=10)
    add_product("CUP", stock=5)

    rows = listed("sku,counted\nMUG,\nCUP,4\nCUP,3\n")

    assert [(row.sku, row.outcome) for row in rows] == [("CUP", Outcome.REFUSED)] * 2


@pytest.mark.parametrize("text", ["sku\nMUG\n", "sku,counted\nMUG,\n", "sku,amount\nMUG,1\n"])
def test_a_list_without_numbers_is_refused(text: str) -> None:
    add_product("MUG", stock=10)

    with pytest.raises(ImportRefusedError):
        listed(text)


def test_what_is_ordered_meanwhile_stays_ordered() -> None:
    mug = add_product("MUG", stock=10)
    rows = listed("sku,counted\nMUG,12\n")
    order(mug, 4)

    apply(rows, reason="Count", user_id=None, key=uuid4())

    assert available(mug) == 8
    movement = StockMovement.objects.get()
    assert (movement.kind, movement.quantity, movement.reason) == (Kind.COUNT, 2, "Count")


def test_a_count_list_counts_from_its_own_moment() -> None:
    mug = add_product("MUG", stock=10)
    order(mug, 3)  # after the list was made, before it was uploaded

    rows = listed("sku,on hand,last movement,counted\nMUG,10,0,9\n")
    apply(rows, reason="Count", user_id=None, key=uuid4())

    assert available(mug) == 6


def test_the_same_rows_change_the_stock_once() -> None:
    mug = add_product("MUG", stock=10)
    rows, key = listed("sku,counted\nMUG,8\n"), uuid4()

    answers = [apply(rows, reason="Count", user_id=None, key=key) for _ in range(2)]

    assert available(mug) == 8
    assert [answer[0].outcome for answer in answers] == [Outcome.CHANGED] * 2


def test_what_was_applied_until_it_is_stopped_is_known() -> None:
    add_product("MUG", stock=10)
    add_product("CUP", stock=5)
    rows = listed("sku,counted\nMUG,8\nCUP,4\n")
    applied: list[Counted] = []

    def stop(done: int, total: int) -> None:
        if done == 1:
            raise LostClaimError("stopped")

    with pytest.raises(LostClaimError):
        apply(rows, reason="Count", user_id=None, key=uuid4(), applied=applied, on_progress=stop)

    assert [row.sku for row in applied] == ["MUG"]
    assert StockMovement.objects.count() == 1


def test_what_a_colleague_moved_meanwhile_is_refused_by_name() -> None:
    mug, cup = add_product("MUG", stock=10), add_product("CUP", stock=5)
    old = f"sku,on hand,last movement,counted\nMUG,10,{last_correction_id(mug.pk)},8\n"
    rows = listed("sku,counted\nMUG,8\nCUP,4\n")
    receive(mug, 5)

    told = apply(rows, reason="Count", user_id=None, key=uuid4())

    assert [row.outcome for row in told] == [Outcome.REFUSED, Outcome.CHANGED]
    assert "+5 by – (Delivery)" in told[0].detail
    assert (available(mug), available(cup)) == (15, 4)
    assert listed(old)[0].outcome == Outcome.REFUSED


def _race(product: Product) -> list[Exception]:
    """Let a stock-take's row and a receipt meet: the receipt commits while the count waits."""
    last = last_correction_id(product.pk)
    errors: list[Exception] = []

    def count() -> None:
        try:
            correct_stock(
                product_id=product.pk,
                delta=-2,
                reason="Count",
                user_id=None,
                counted_after=last,
                kind=Kind.COUNT,
            )
        except CorrectedMeanwhileError as error:
            errors.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=count)
    with transaction.atomic():
        Stock.objects.select_for_update().get(pk=product.pk)
        thread.start()
        Stock.objects.filter(pk=product.pk).update(available=F("available") + 5)
        StockMovement.objects.create(
            product=product, kind=Kind.RECEIPT, quantity=5, reason="Delivery"
        )
    thread.join(10)
    return errors


def test_two_operators_who_count_and_receive_do_not_undo_each_other() -> None:
    mug = add_product("MUG", stock=10)

    errors = _race(mug)

    assert len(errors) == 1
    assert available(mug) == 15


def test_a_count_that_knew_of_corrections_only_would_be_written_over_a_receipt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control of the test above."""
    mug = add_product("MUG", stock=10)
    corrections = StockMovement.objects.filter(kind=Kind.CORRECTION).order_by("-pk")
    monkeypatch.setattr(
        stock_module,
        "_corrections",
        lambda product_id: corrections.filter(product=product_id),
    )

    errors = _race(mug)

    assert errors == []
    assert available(mug) == 13


@pytest.mark.parametrize(("kind", "delta"), [(Kind.RECEIPT, -1), (Kind.ORDER, 1)])
def test_a_movement_by_hand_has_a_kind_that_fits(kind: StockMovement.Kind, delta: int) -> None:
    mug = add_product("MUG", stock=10)

    with pytest.raises(ValueError, match="is no"):
        correct_stock(product_id=mug.pk, delta=delta, reason="x", user_id=None, kind=kind)

    assert BY_HAND == (Kind.CORRECTION, Kind.RECEIPT, Kind.COUNT)


def test_the_ledger_shows_the_units_after_each_movement_also_when_filtered() -> None:
    mug = add_product("MUG", stock=10)
    receive(mug, 5)
    correct_stock(product_id=mug.pk, delta=-3, reason="Broken", user_id=None)
    receive(mug, 1)

    every = read_ledger(product_id=mug.pk, size=2)
    rest = read_ledger(product_id=mug.pk, before=every.before, size=2)
    received = read_ledger(product_id=mug.pk, kind="receipt")

    assert [row.balance for row in every.rows + rest.rows] == [13, 12, 15]
    assert rest.before is None
    assert [row.balance for row in received.rows] == [13, 15]


def test_a_list_is_uploaded_looked_at_and_taken_over(admin_client: Client, settings: Any) -> None:
    mug = add_product("MUG", stock=10)
    boss = User.objects.get(username="admin")
    blank = admin_client.get("/admin/orders/product/count-list/").content.decode()
    filled = blank.replace("MUG,Thing MUG,10,0,", "MUG,Thing MUG,10,0,7")
    upload = ContentFile(filled.encode(), name="counted.csv")
    admin_client.post("/admin/orders/deskjob/stock-take/", {"file": upload, "reason": "Year"})
    dry = DeskJob.objects.get(kind=TAKE_STOCK.name)
    run_job(DeskJob, dry.pk)
    page = admin_client.get(f"/admin/orders/deskjob/{dry.pk}/change/").content.decode()

    for _ in range(2):
        admin_client.post(f"/admin/orders/deskjob/{dry.pk}/take-stock/")
    earnest = DeskJob.objects.exclude(pk=dry.pk).get()
    run_job(DeskJob, earnest.pk)

    assert "10 → 7 (-3)" in page
    assert available(mug) == 7
    movement = StockMovement.objects.get()
    assert (movement.reason, movement.user) == ("Year", boss)
