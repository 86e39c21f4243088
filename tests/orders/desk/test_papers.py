"""Papers at the desk: of the chosen orders, and on one order's page."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from media_jobs import tasks
from media_jobs.models import MediaJob
from orders.models import DeskJob, Invoice
from tests.factories import add_product, make_order
from tests.orders.invoicing.company import set_company
from tests.pages import open_page

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/orders/order/"


@pytest.fixture(autouse=True)
def company(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    set_company(settings)


def chosen(client: Client, action: str, *orders: Any) -> Any:
    ids = [str(order.pk) for order in orders]
    return client.post(LIST, {"action": action, "_selected_action": ids})


@pytest.mark.parametrize("action", ["print_packing_slips", "print_pick_list", "print_invoices"])
def test_chosen_orders_are_printed_by_a_desk_job(admin_client: Client, action: str) -> None:
    tea = add_product("TEA")
    first, second = make_order(tea), make_order(tea)

    answer = chosen(admin_client, action, second, first)

    job = DeskJob.objects.get()
    assert answer["Location"] == f"/admin/orders/deskjob/{job.pk}/change/"
    assert (job.kind, job.context["orders"]) == (action, [first.number, second.number])


def test_back_reload_and_another_choice_from_the_same_page(admin_client: Client) -> None:
    """The first two find the job of the first click; another choice is another job."""
    tea = add_product("TEA")
    first, second = make_order(tea), make_order(tea)
    page = open_page(admin_client, LIST)
    fields = {"action": "print_pick_list", "_selected_action": [str(first.pk)]}

    answers = [page.send(**fields)["Location"] for _click in range(2)]
    DeskJob.objects.update(status="done")
    answers.append(page.send(**fields)["Location"])
    other = page.send(**fields | {"_selected_action": [str(second.pk)]})["Location"]
    anew = open_page(admin_client, LIST).send(**fields)["Location"]

    assert len(set(answers)) == 1
    assert len({answers[0], other, anew}) == 3
    assert DeskJob.objects.count() == 3


@pytest.mark.parametrize("has_key", [True, False], ids=["", "control"])
def test_a_double_click_prints_once(has_key: bool, admin_user: Any) -> None:
    order = make_order()
    client = Client()
    client.force_login(admin_user)
    page = open_page(client, LIST)
    fields = {"action": "print_pick_list", "_selected_action": [str(order.pk)]}
    more = {} if has_key else {"key": None}
    start = Barrier(2)

    def click(_number: int) -> str:
        start.wait(10)
        try:
            return str(page.send(**fields, **more)["Location"])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        led_to = set(pool.map(click, range(2)))

    jobs = 1 if has_key else 2
    assert (len(led_to), DeskJob.objects.count()) == (jobs, jobs)


def test_a_clerk_who_may_only_look_issues_no_invoices(clerk_client: Client) -> None:
    order = make_order()

    chosen(clerk_client, "print_invoices", order)
    answer = clerk_client.post(f"{LIST}{order.pk}/papers/invoice/")

    assert answer.status_code == 403
    assert not DeskJob.objects.exists()
    assert not Invoice.objects.exists()


def test_more_than_500_orders_are_too_many(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.desk.papers.MOST_ORDERS", 1)
    tea = add_product("TEA")

    answer = chosen(admin_client, "print_pick_list", make_order(tea), make_order(tea))

    assert "Choose at most 1 orders" in admin_client.get(answer["Location"]).content.decode()
    assert not DeskJob.objects.exists()


def test_an_order_s_page_issues_its_invoice_and_links_the_pdf(admin_client: Client) -> None:
    order = make_order(status="paid")
    page = f"{LIST}{order.pk}/change/"
    assert "Issue the invoice" in admin_client.get(page).content.decode()

    for _click in range(2):
        admin_client.post(f"{LIST}{order.pk}/papers/invoice/")
    waiting = admin_client.get(page).content.decode()
    tasks.process(str(MediaJob.objects.get(kind="invoice").pk))
    made = admin_client.get(page).content.decode()

    assert "Issue the invoice" not in waiting
    assert f'hx-get="{LIST}{order.pk}/papers/"' in waiting
    assert "Invoice INV-1</a>" in made
    assert f'hx-get="{LIST}{order.pk}/papers/"' not in made
    assert Invoice.objects.get().user is not None


def test_without_company_data_the_page_says_what_is_missing(
    admin_client: Client, settings: Any
) -> None:
    settings.COMPANY_NAME = ""
    order = make_order(status="paid")

    page = admin_client.get(f"{LIST}{order.pk}/change/").content.decode()
    refused = admin_client.post(f"{LIST}{order.pk}/papers/invoice/", follow=True)

    assert "Invoices need COMPANY_NAME in the shop" in page
    assert "Invoices need COMPANY_NAME in the shop" in str(next(iter(refused.context["messages"])))
    assert not Invoice.objects.exists()


@pytest.mark.parametrize("kind", ["packing_slip", "pick_list"])
def test_an_order_s_page_makes_its_slips(admin_client: Client, kind: str) -> None:
    order = make_order()

    for _click in range(2):
        admin_client.post(f"{LIST}{order.pk}/papers/{kind}/")

    assert MediaJob.objects.get(kind=kind).order_id == order.pk


def test_there_is_no_paper_of_another_kind(admin_client: Client) -> None:
    order = make_order()

    assert admin_client.post(f"{LIST}{order.pk}/papers/poster/").status_code == 404
    assert admin_client.get(f"{LIST}{order.pk}/papers/invoice/").status_code == 405


def test_the_shopper_s_page_links_the_invoice_once_it_is_made(
    admin_client: Client, client: Client
) -> None:
    order = make_order(status="paid")
    admin_client.post(f"{LIST}{order.pk}/papers/invoice/")
    admin_client.post(f"{LIST}{order.pk}/papers/packing_slip/")
    before = client.get(order.get_absolute_url()).content.decode()
    for job in MediaJob.objects.filter(order_id=order.pk):
        tasks.process(str(job.pk))

    (paper,) = client.get(order.get_absolute_url()).context["invoices"]
    pdf: Any = client.get(paper.url)

    assert "INV-1" not in before
    assert paper.number == "INV-1"
    assert b"".join(pdf.streaming_content).startswith(b"%PDF-")
    assert pdf["Content-Type"] == "application/pdf"
    assert pdf["Content-Disposition"] == 'inline; filename="INV-1.pdf"'
    assert client.get(paper.url.partition("?")[0]).status_code == 404


def test_the_api_lists_papers_as_media_of_the_order(admin_client: Client) -> None:
    order = make_order(status="paid")
    for kind in ("invoice", "packing_slip", "pick_list"):
        admin_client.post(f"{LIST}{order.pk}/papers/{kind}/")

    jobs = admin_client.get(reverse("api:read_order", args=[order.pk])).json()["jobs"]

    assert {(job["app"], job["kind"]) for job in jobs} == {
        ("media", "invoice"),
        ("media", "packing_slip"),
        ("media", "pick_list"),
    }


def test_a_product_s_shelf_is_entered_at_the_desk(admin_client: Client) -> None:
    product = add_product("TEA", shelf="A2")

    page = admin_client.get(f"/admin/orders/product/{product.pk}/change/").content.decode()

    assert 'name="shelf"' in page
    assert 'value="A2"' in page
