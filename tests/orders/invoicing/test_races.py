"""Numbers without gaps and one invoice per order: two issues at once, a crash between, controls."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connection, connections

from media_jobs.outbox import invoice_job
from orders.invoicing import issue as issue_module
from orders.lifecycle import invoices
from orders.lifecycle.invoices import issue_invoice
from orders.lifecycle.steps import read
from orders.models import Invoice
from orders.models.invoice import InvoiceCounter, InvoiceKind
from tests.factories import add_product
from tests.order_states import paid
from tests.orders.invoicing.company import set_company
from tests.races import without_constraint

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])
CLIENTS = 6


@pytest.fixture(autouse=True)
def company(settings: Any) -> None:
    set_company(settings)
    add_product("TEA", stock=100, price="5.00")


def issue_at_once(order_ids: list[UUID]) -> None:
    """Issue an invoice for each, in as many threads, which begin together."""
    begin = threading.Barrier(len(order_ids))

    def issue(order_id: UUID) -> None:
        try:
            begin.wait(10)
            issue_invoice(order_id=order_id)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(order_ids)) as pool:
        list(pool.map(issue, order_ids))


def numbers() -> list[int]:
    return sorted(Invoice.objects.values_list("number", flat=True))


def meeting(parties: int) -> Callable[..., Any]:
    """Return an `invoice_of` after which the issues that saw no invoice wait for each other."""
    all_looked = threading.Barrier(parties)
    look = issue_module.invoice_of

    def look_and_wait(order: Any) -> Invoice | None:
        found = look(order)
        all_looked.wait(10)
        return found

    return look_and_wait


def test_orders_invoiced_at_once_get_numbers_without_gap() -> None:
    issue_at_once([paid().pk for _order in range(CLIENTS)])

    assert numbers() == list(range(1, CLIENTS + 1))
    assert InvoiceCounter.objects.get().last == CLIENTS


def test_an_order_invoiced_at_once_has_one_invoice() -> None:
    issue_at_once([paid().pk] * CLIENTS)

    assert numbers() == [1]


def test_control_without_the_order_s_lock_it_has_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invoices, "lock", read)
    monkeypatch.setattr(issue_module, "invoice_of", meeting(2))
    order = paid()

    with without_constraint(Invoice, "one_invoice_per_order"):
        issue_at_once([order.pk] * 2)
        issued = numbers()
        Invoice.objects.all().delete()

    assert issued == [1, 2]


@contextmanager
def crash_before_the_commit(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the server end the session that has taken a number, before its transaction commits."""

    def die(**about: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
        with connections["writer"].cursor() as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        return invoice_job(**about)

    with monkeypatch.context() as crashing:
        crashing.setattr(issue_module, "invoice_job", die)
        yield


def crash_one_and_issue_another(monkeypatch: pytest.MonkeyPatch) -> None:
    issue_invoice(order_id=paid().pk)
    lost, other = paid(), paid()
    with crash_before_the_commit(monkeypatch), pytest.raises(OperationalError):
        issue_invoice(order_id=lost.pk)
    issue_invoice(order_id=other.pk)


def test_a_crash_before_the_commit_leaves_no_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    crash_one_and_issue_another(monkeypatch)

    assert numbers() == [1, 2]


def test_control_a_number_from_outside_the_transaction_leaves_a_gap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def take_at_once(kind: InvoiceKind) -> int:
        with connections["writer"].cursor() as cursor:
            cursor.execute(
                "INSERT INTO orders_invoicecounter AS counter (kind, last) VALUES (%s, 1)"
                " ON CONFLICT (kind) DO UPDATE SET last = counter.last + 1 RETURNING last",
                [kind.value],
            )
            number: int = cursor.fetchone()[0]
        return number

    monkeypatch.setattr(issue_module, "take_number", take_at_once)

    crash_one_and_issue_another(monkeypatch)

    assert numbers() == [1, 3]
