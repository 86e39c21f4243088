"""The tax of an order: kept when it is placed, and the same on page, mail, invoice and API."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from notifications.models import Notification
from notifications.rendering import render
from orders.invoicing.issue import NoInvoiceError
from orders.lifecycle.corrections import correct_contact
from orders.lifecycle.invoices import issue_invoice
from orders.lifecycle.transitions import cancel
from orders.models import Invoice, Order, OrderLine, TaxRate
from orders.placing.request import ChosenDelivery
from project.monitoring.audit import run_audit
from tests.order_states import paid, placed, refund_order
from tests.orders.invoicing.company import set_company
from tests.orders.shop.pages import add, text_of
from tests.orders.taxes.rates import AUSTRIA, HOME, two_rates

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]
BASKET = (("MUG", 1), ("TEA", 2))
DELIVERY = ChosenDelivery("flat-rate", "standard")


@pytest.fixture(autouse=True)
def shop(settings: Any) -> None:
    set_company(settings)
    settings.DELIVERY_FLAT_RATE = {"*": Decimal("4.00")}
    two_rates(settings)


def rates(order: Order) -> dict[str, Decimal | None]:
    return dict(OrderLine.objects.filter(order=order).values_list("sku", "tax_rate"))


def test_each_line_keeps_the_rate_it_was_sold_at() -> None:
    order = placed(*BASKET)
    TaxRate.objects.all().delete()

    assert rates(order) == {"MUG": 19, "TEA": 7}
    assert rates(placed(("TEA", 1), key="another-key-of-an-order")) == {"TEA": 19}


def test_an_order_abroad_has_the_rates_of_there() -> None:
    assert rates(placed(*BASKET, address=AUSTRIA)) == {"MUG": 20, "TEA": 20}


def test_the_api_answers_net_and_tax_by_rate_whose_sum_is_the_total(client: Client) -> None:
    order = placed(*BASKET, address=HOME, delivery=DELIVERY)

    body = client.get(f"/api/v1/orders/{order.pk}").json()

    # Of the delivery's 4.00, 1.99 goes with the mug's 9.90 and 2.01 with the tea's 10.00.
    assert body["taxes"] == [
        {"rate": "19", "net": "9.99", "tax": "1.90"},
        {"rate": "7", "net": "11.22", "tax": "0.79"},
    ]
    parts = [Decimal(part[name]) for part in body["taxes"] for name in ("net", "tax")]
    assert str(sum(parts)) == body["total"] == "23.90"


def test_page_and_mail_say_what_tax_the_total_includes(client: Client) -> None:
    order = placed(*BASKET, address=HOME, delivery=DELIVERY)
    message = Notification.objects.get(event="order_placed", channel="email")
    mail = render(message)

    for text in (text_of(client.get(f"/orders/{order.pk}/")), mail.text, mail.html):
        assert "Includes 19 % tax on €9.99" in text
        assert "Includes 7 % tax on €11.22" in text


def test_a_shop_that_charges_no_tax_says_nothing_of_it(client: Client, settings: Any) -> None:
    settings.TAX_RATE = Decimal(0)
    order = placed(("MUG", 1))

    assert client.get(f"/api/v1/orders/{order.pk}").json()["taxes"] == [
        {"rate": "0", "net": "9.90", "tax": "0.00"}
    ]
    assert "% tax" not in text_of(client.get(f"/orders/{order.pk}/"))


def test_the_checkout_says_it_before_the_order_is_placed(client: Client) -> None:
    add(client, "MUG")

    page = text_of(client.get("/checkout/"))

    assert "Includes 19 % tax on €8.32 €1.58" in page


def test_an_invoice_has_net_and_tax_of_each_rate_and_the_delivery_by_both() -> None:
    order = paid(*BASKET, address=HOME, delivery=DELIVERY)

    data = issue_invoice(order_id=order.pk).data

    lines = [(line["name"], line["rate"], line["total"]) for line in data["lines"]]
    assert lines == [
        ("Thing MUG", "19", "9.90"),
        ("Thing TEA", "7", "10.00"),
        ("Delivery: Standard delivery", "19", "1.99"),
        ("Delivery: Standard delivery", "7", "2.01"),
    ]
    assert [(part["net"], part["tax"], part["total"]) for part in data["taxes"]] == [
        ("9.99", "1.90", "11.89"),
        ("11.22", "0.79", "12.01"),
    ]
    assert (data["net"], data["tax"], data["total"]) == ("21.21", "2.69", "23.90")
    assert "rate" not in data


def test_credit_notes_together_have_the_invoice_s_net_and_tax_of_each_rate() -> None:
    order = paid(*BASKET, address=HOME, delivery=DELIVERY)
    invoice = issue_invoice(order_id=order.pk).data
    TaxRate.objects.update(rate=1)

    refund_order(order.pk, {"TEA": 1})
    refund_order(order.pk)

    credited: dict[tuple[str, str], Decimal] = {}
    for note in Invoice.objects.filter(kind="credit_note"):
        for part in note.data["taxes"]:
            for name in ("net", "tax", "total"):
                key = part["rate"], name
                credited[key] = credited.get(key, Decimal(0)) + Decimal(part[name])
    assert credited == {
        (part["rate"], name): Decimal(part[name])
        for part in invoice["taxes"]
        for name in ("net", "tax", "total")
    }
    assert run_audit().is_clean


def test_a_cancelled_order_s_credit_note_has_all_of_the_invoice() -> None:
    order = placed(*BASKET, address=HOME, delivery=DELIVERY)
    invoice = issue_invoice(order_id=order.pk).data

    cancel(order_id=order.pk, reason="broken")

    note = Invoice.objects.get(kind="credit_note").data
    assert (note["lines"], note["taxes"]) == (invoice["lines"], invoice["taxes"])


def test_an_order_from_before_rates_were_kept_is_invoiced_at_the_usual_rate(settings: Any) -> None:
    order = paid(*BASKET)
    OrderLine.objects.update(tax_rate=None)

    assert issue_invoice(order_id=order.pk).data["rate"] == "19"


def test_an_invoice_of_before_is_credited_at_its_one_rate() -> None:
    order = paid(*BASKET)
    data = issue_invoice(order_id=order.pk).data
    old = {name: value for name, value in data.items() if name != "taxes"} | {"rate": "19"}
    old["lines"] = [
        {name: value for name, value in line.items() if name != "rate"} for line in data["lines"]
    ]
    Invoice.objects.all()._raw_delete("default")
    Invoice.objects.create(order=order, kind="invoice", number=1, data=old)

    refund_order(order.pk, {"TEA": 1})
    refund_order(order.pk)

    first, last = Invoice.objects.filter(kind="credit_note")
    assert (first.data["rate"], first.data["tax"]) == ("19", "0.80")
    assert Decimal(first.data["total"]) + Decimal(last.data["total"]) == order.total


def test_a_shop_with_a_rate_for_each_country_needs_no_usual_one(settings: Any) -> None:
    set_company(settings, TAX_RATE=None)
    order = paid(("TEA", 1))
    unknown = paid(("MUG", 1), key="another-key-of-an-order")

    assert issue_invoice(order_id=order.pk).data["rate"] == "7"
    with pytest.raises(Exception, match="TAX_RATE") as refused:
        issue_invoice(order_id=unknown.pk)
    assert isinstance(refused.value.__context__, NoInvoiceError) or "TAX_RATE" in str(refused.value)


@pytest.mark.parametrize(("is_invoiced", "rate"), [(False, 20), (True, 19)])
def test_an_address_that_moves_abroad_moves_the_tax_unless_it_is_invoiced(
    is_invoiced: bool, rate: int
) -> None:
    order = placed(("MUG", 1), address=HOME)
    if is_invoiced:
        issue_invoice(order_id=order.pk)

    correct_contact(
        order_id=order.pk, name=order.name, email=order.email, phone="", address=AUSTRIA
    )

    assert rates(order) == {"MUG": rate}
    assert Order.objects.get().total == order.total
