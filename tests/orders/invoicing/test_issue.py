"""Invoices and credit notes: when they are issued, with which number and content, once."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from media_jobs.models import MediaJob
from orders.lifecycle.errors import InvalidTransition
from orders.lifecycle.invoices import issue_invoice
from orders.lifecycle.transitions import cancel
from orders.models import Invoice, Order, Product
from orders.models.invoice import InvoiceCounter
from orders.placing.request import ChosenDelivery
from project.desk.context_words import LABELS
from project.monitoring.audit import run_audit
from tests.factories import add_product, new_key
from tests.order_states import delivered, packed, paid, placed, refund_order, refunded, shipped
from tests.orders.invoicing.company import set_company
from tests.project.desk.labelled import names_in

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])


@pytest.fixture(autouse=True)
def company(settings: Any) -> None:
    set_company(settings)
    add_product("TEA", stock=100, price="5.00")
    add_product("MUG", stock=100, price="9.90")


def notes() -> list[Invoice]:
    return list(Invoice.objects.filter(kind="credit_note"))


def test_an_invoice_has_its_number_its_lines_and_its_job() -> None:
    order = paid(("TEA", 2), ("MUG", 1))

    invoice = issue_invoice(order_id=order.pk)

    assert str(invoice) == "INV-1"
    assert invoice.data["lines"] == [
        {
            "sku": "TEA",
            "name": "Thing TEA",
            "quantity": 2,
            "unit_price": "5.00",
            "rate": "19",
            "net": "8.40",
            "tax": "1.60",
            "total": "10.00",
        },
        {
            "sku": "MUG",
            "name": "Thing MUG",
            "quantity": 1,
            "unit_price": "9.90",
            "rate": "19",
            "net": "8.32",
            "tax": "1.58",
            "total": "9.90",
        },
    ]
    amounts = [invoice.data[name] for name in ("net", "tax", "total", "due")]
    assert amounts == ["16.72", "3.18", "19.90", "0.00"]
    job = MediaJob.objects.get(recipe="invoice")
    assert (job.order_id, job.kind, job.context) == (order.pk, "invoice", invoice.data)


def test_an_order_has_one_invoice() -> None:
    order = paid()

    first, again = (issue_invoice(order_id=order.pk) for _time in range(2))

    assert first == again
    assert InvoiceCounter.objects.get().last == 1
    assert MediaJob.objects.filter(kind="invoice").count() == 1


def test_an_unpaid_order_s_invoice_says_what_is_due() -> None:
    assert issue_invoice(order_id=placed().pk).data["due"] == "10.00"


def test_a_price_or_a_company_that_changes_later_leaves_the_invoice_as_it_is(settings: Any) -> None:
    order = paid()
    issued = issue_invoice(order_id=order.pk)
    Product.objects.update(name="Another", price=Decimal(99))
    Order.objects.update(name="Somebody else")
    settings.COMPANY_NAME, settings.TAX_RATE = "Another GmbH", Decimal(7)

    assert issue_invoice(order_id=order.pk).data == issued.data


def test_the_database_refuses_to_change_an_issued_invoice() -> None:
    issue_invoice(order_id=paid().pk)

    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        Invoice.objects.update(data={})
    Invoice.objects.update(user=None)


def test_the_database_refuses_a_second_invoice_of_an_order() -> None:
    invoice = issue_invoice(order_id=paid().pk)
    invoice.pk, invoice.number = None, 2

    with pytest.raises(IntegrityError, match="one_invoice_per_order"), transaction.atomic():
        invoice.save(force_insert=True)


def test_the_database_refuses_a_number_twice() -> None:
    invoice = issue_invoice(order_id=paid().pk)
    invoice.pk, invoice.order_id = None, placed().pk

    with pytest.raises(IntegrityError, match="invoice_number_once"), transaction.atomic():
        invoice.save(force_insert=True)


def test_an_invoice_has_no_refund_and_numbers_begin_at_one() -> None:
    order = refunded()
    refund = order.refunds.get()
    content = {"order": order, "kind": "invoice", "data": {}}

    with pytest.raises(IntegrityError, match="invoice_has_no_refund"), transaction.atomic():
        Invoice.objects.create(**content, number=1, refund=refund)
    with pytest.raises(IntegrityError, match="begin_at_one"), transaction.atomic():
        Invoice.objects.create(**content, number=0)


@pytest.mark.parametrize("name", ["COMPANY_NAME", "COMPANY_ADDRESS", "COMPANY_TAX_ID", "TAX_RATE"])
def test_without_company_data_there_is_no_invoice_and_no_number(settings: Any, name: str) -> None:
    set_company(settings, **{name: None if name == "TAX_RATE" else ""})

    with pytest.raises(InvalidTransition, match=f"Invoices need {name} in the shop's settings"):
        issue_invoice(order_id=paid().pk)

    assert not InvoiceCounter.objects.exists()


def test_a_tax_rate_of_nothing_is_a_rate(settings: Any) -> None:
    set_company(settings, TAX_RATE=Decimal(0))

    assert issue_invoice(order_id=paid().pk).data["net"] == "10.00"


@pytest.mark.parametrize(
    ("occasion", "reach", "issued"),
    [
        ("paid", placed, 0),
        ("paid", paid, 1),
        ("shipped", packed, 0),
        ("shipped", shipped, 1),
        ("shipped", delivered, 1),
        ("by_hand", delivered, 0),
    ],
)
def test_the_step_of_the_setting_issues_the_invoice(
    settings: Any, occasion: str, reach: Any, issued: int
) -> None:
    set_company(settings, INVOICE_ON=occasion)

    reach()

    assert Invoice.objects.count() == issued


def test_an_order_that_is_cancelled_or_refunded_gets_no_invoice() -> None:
    for order in (cancel(order_id=placed().pk, reason="broken"), refunded()):
        with pytest.raises(InvalidTransition, match="has nothing left to invoice"):
            issue_invoice(order_id=order.pk)


def test_an_invoice_after_a_refund_is_for_what_is_left() -> None:
    order = refund_order(paid(("TEA", 2), ("MUG", 1)).pk, {"TEA": 2})

    data = issue_invoice(order_id=order.pk).data

    assert ([line["sku"] for line in data["lines"]], data["total"]) == (["MUG"], "9.90")
    assert data["due"] == "0.00"


def test_each_refund_of_an_invoiced_order_has_its_credit_note() -> None:
    order = paid(("TEA", 2), ("MUG", 1))
    invoice = issue_invoice(order_id=order.pk)

    refund_order(order.pk, {"TEA": 1})
    refund_order(order.pk)

    first, last = notes()
    assert (str(first), str(last)) == ("CN-1", "CN-2")
    assert first.data["invoice"] == invoice.data["paper_number"]
    assert (first.data["total"], last.data["total"]) == ("5.00", "14.90")
    for name in ("net", "tax", "total"):
        credited = Decimal(first.data[name]) + Decimal(last.data[name])
        assert credited == Decimal(invoice.data[name])
    assert {note.refund_id for note in (first, last)} == {
        refund.pk for refund in order.refunds.all()
    }


def test_the_delivery_is_invoiced_with_its_tax_and_given_back_with_the_last_units(
    settings: Any,
) -> None:
    settings.DELIVERY_FLAT_RATE = {"*": Decimal("4.90")}
    address = {"line1": "Am Kai 1", "city": "Kiel", "postcode": "24103", "country": "DE"}
    delivery = ChosenDelivery("flat-rate", "standard")
    order, other = (paid(address=address, delivery=delivery, key=new_key()) for _order in range(2))
    invoice = issue_invoice(order_id=order.pk)

    refund_order(order.pk, {"TEA": 1})
    refund_order(order.pk)
    cancel(order_id=other.pk, reason="broken")

    assert invoice.data["lines"][-1] == {
        "sku": "",
        "name": "Delivery: Standard delivery",
        "quantity": 1,
        "unit_price": "4.90",
        "rate": "19",
        "net": "4.12",
        "tax": "0.78",
        "total": "4.90",
    }
    assert invoice.data["total"] == str(order.total) == "14.90"
    assert [note.data["total"] for note in notes()] == ["5.00", "9.90"]
    assert other.refunds.get().amount == other.total
    assert run_audit().is_clean


def test_a_repeated_refund_has_one_credit_note() -> None:
    order = paid()
    issue_invoice(order_id=order.pk)
    refund_id = uuid4()

    for _time in range(2):
        refund_order(order.pk, {"TEA": 1}, refund_id=refund_id)

    assert len(notes()) == 1


def test_a_refund_without_an_invoice_has_no_credit_note() -> None:
    refunded()

    assert not Invoice.objects.exists()


def test_a_cancelled_order_s_invoice_is_credited_and_still_made() -> None:
    order = placed(("TEA", 2))
    issue_invoice(order_id=order.pk)

    cancel(order_id=order.pk, reason="broken in store")

    (note,) = notes()
    assert (note.data["total"], note.data["reason"]) == ("10.00", "broken in store")
    assert set(MediaJob.objects.filter(recipe="invoice").values_list("status", flat=True)) == {
        "queued"
    }


def test_everything_that_an_invoice_says_has_a_label_at_the_desk() -> None:
    order = paid()
    issue_invoice(order_id=order.pk)
    refund_order(order.pk)

    for data in Invoice.objects.values_list("data", flat=True):
        assert names_in(data) <= LABELS.keys()


def test_a_credit_note_keeps_the_invoice_s_rate(settings: Any) -> None:
    order = paid()
    issue_invoice(order_id=order.pk)
    settings.TAX_RATE = Decimal(7)

    refund_order(order.pk)

    assert notes()[0].data["tax"] == "1.60"
