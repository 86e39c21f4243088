"""Papers as PDF: their words come out again, on as many pages as they need, in both languages."""

import io
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from pypdf import PdfReader

from media_jobs import tasks
from media_jobs.models import MediaJob
from media_jobs.outbox import invoice_job, queue_paper
from media_jobs.papers.typesetting import MOST_ROWS, batches, pdf_of
from media_jobs.papers.words import write
from media_jobs.recipes import PACKING_SLIP, PICK_LIST
from media_jobs.signed_urls import address_of

LINE = {
    "sku": "TEA",
    "name": "Thing TEA",
    "quantity": 2,
    "unit_price": "1234.50",
    "net": "2074.79",
    "tax": "394.21",
    "total": "2469.00",
}


def invoice(*names: str, **changes: Any) -> dict[str, Any]:
    return {
        "paper_number": "INV-17",
        "kind": "invoice",
        "date": "2026-11-28",
        "issued": 1_795_000_000,
        "order": "T1001",
        "order_date": "2026-11-27",
        "language": "en",
        "currency": "EUR",
        "seller": {
            "name": "Tandem Tea GmbH",
            "address": ["Teestr. 1", "20095 Hamburg"],
            "tax_id": "DE123456789",
            "iban": "DE89 3704 0044 0532 0130 00",
        },
        "buyer": ["Ada Lovelace", "12 Long Street", "London"],
        "rate": "19",
        "lines": [LINE | {"name": name} for name in names or ("Thing TEA",)],
        "net": "2074.79",
        "tax": "394.21",
        "total": "2469.00",
        "due": "0.00",
    } | changes


def pages(*contexts: dict[str, Any], recipe: str = "invoice") -> list[str]:
    """Return the text of each page."""
    content = pdf_of([write(recipe, context) for context in contexts])
    return [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]


def test_an_invoice_says_who_what_and_how_much() -> None:
    (page,) = pages(invoice())

    for said in (
        "Invoice number",
        "INV-17",
        "2026-11-28",
        "T1001",
        "Ada Lovelace",
        "Tandem Tea GmbH · Teestr. 1 · 20095 Hamburg",
        "Tax number: DE123456789",
        "€1,234.50",
        "€2,074.79",
        "Tax 19 %",
        "€394.21",
        "€2,469.00",
        "Paid. Thank you.",
        "Page 1 of 1",
    ):
        assert said in page


def test_an_unpaid_invoice_says_how_to_pay_it() -> None:
    (page,) = pages(invoice(due="2469.00"))

    said = "Please pay €2,469.00 to the account DE89 3704 0044 0532 0130 00, with T1001"
    assert said in " ".join(page.split())


def test_a_chinese_paper_is_chinese() -> None:
    (page,) = pages(invoice("茶杯，手工制作 Mug 300 ml", language="zh-hans", currency="CNY"))

    for said in (
        "发票号码",
        "茶杯，手工制作 Mug 300 ml",
        "税额 19 %",
        "¥2,469.00",
        "第 1 页，共 1 页",
    ):
        assert said in page


@pytest.mark.parametrize(
    "name",
    [
        "Nguyễn Văn Ærø",
        "Жёлтый чай",
        "Ωμέγα",
        "東京のお茶",
        "한국 차",
        'a "quote" #let x = $1$ <a>',
    ],
)
def test_a_name_comes_out_as_it_was_written(name: str) -> None:
    assert name in pages(invoice(name))[0]


@pytest.mark.parametrize("name", ["ספל תה כחול", "كوب شاي أزرق"])
def test_a_name_from_right_to_left_has_its_letters(name: str) -> None:
    (page,) = pages(invoice(name))

    # Extractors differ in the order of such lines: every word is there in one of both directions.
    assert all(word in page or word[::-1] in page for word in name.split())


def test_sixty_lines_have_pages_with_the_table_s_head_on_each() -> None:
    found = pages(invoice(*(f"Thing {number}" for number in range(60))))

    assert len(found) >= 2
    for number, page in enumerate(found, start=1):
        assert f"Page {number} of {len(found)}" in page
    # The last page may have the sums only.
    assert all("Unit price" in page for page in found[:-1])
    assert all(any(f"Thing {number}\n" in page for page in found) for number in range(60))


def test_many_orders_have_page_numbers_of_their_own() -> None:
    long = invoice(*["Thing"] * 40)

    found = pages(invoice(), long, invoice(paper_number="INV-18"))

    assert "Page 1 of 1" in found[0]
    assert "Page 1 of 2" in found[1]
    assert "Page 2 of 2" in found[2]
    assert "Page 1 of 1" in found[3]


def test_a_word_without_end_is_broken_within_its_column() -> None:
    (page,) = pages(invoice("W" * 200))

    letters = [row.count("W") for row in page.splitlines() if "WWW" in row]
    assert sum(letters) == 200
    assert max(letters) < 60


def test_the_same_content_gives_the_same_bytes() -> None:
    documents = [write("invoice", invoice("茶"))]

    assert pdf_of(documents, created=1_795_000_000) == pdf_of(documents, created=1_795_000_000)


def test_a_batch_is_small_or_one_document() -> None:
    documents = [{"rows": [1] * count} for count in (5, 5, 500, 80, 80)]

    sizes = [[len(each["rows"]) for each in batch] for batch in batches(documents)]

    assert sizes == [[5, 5], [500], [80], [80]]
    assert MOST_ROWS == 100


def test_a_credit_note_names_its_invoice_and_its_reason() -> None:
    note = invoice(
        kind="credit_note",
        paper_number="CN-3",
        invoice="INV-17",
        invoice_date="2026-11-28",
        reason="Arrived broken",
    )

    (page,) = pages(note)

    assert "Credit note" in page
    assert "This credit note corrects invoice INV-17 of 2026-11-28." in page
    assert "Arrived broken" in page
    assert "Paid" not in page


SLIP: dict[str, Any] = {
    "paper_number": "T1001",
    "order_date": "2026-11-27",
    "shop_name": "Tandem",
    "language": "en",
    "recipient": ["Ada Lovelace", "12 Long Street"],
    "is_pickup": False,
    "lines": [{"sku": "TEA", "name": "Thing TEA", "quantity": 2, "files": 1}],
}
PICKS: dict[str, Any] = {
    "paper_number": "",
    "orders": 2,
    "shop_name": "Tandem",
    "language": "en",
    "lines": [
        {
            "shelf": "A2",
            "sku": "TEA",
            "name": "Thing TEA",
            "quantity": 3,
            "orders": "T1001 × 2, T1002",
        }
    ],
}


def test_a_packing_slip_has_units_and_no_prices() -> None:
    (page,) = pages(SLIP, recipe="packing_slip")

    assert "2 ×" in page
    assert "with 1 file of the customer's" in page
    assert "€" not in page


def test_a_pick_list_says_where_how_many_and_for_whom() -> None:
    (page,) = pages(PICKS, recipe="pick_list")

    for said in ("A2", "3 ×", "Thing TEA", "T1001 × 2, T1002"):
        assert said in page


def test_a_pick_list_s_row_of_many_orders_goes_on_on_the_next_page() -> None:
    many = [f"T{number}" for number in range(1000, 2500)]
    row = PICKS["lines"][0] | {"orders": ", ".join(many)}

    found = pages(PICKS | {"lines": [row]}, recipe="pick_list")

    assert len(found) > 1
    said = " ".join(" ".join(found).split())
    assert all(number in said for number in many)


@pytest.mark.django_db(transaction=True)
def test_a_paper_s_job_makes_a_private_pdf() -> None:
    job = invoice_job(invoice_id=1, order_id=uuid4(), kind="invoice", context=invoice())
    job.save()

    tasks.process(str(job.pk))

    made = MediaJob.objects.get().renditions.get()
    assert str(made.file.name).startswith("private/")
    assert str(made.file.name).endswith("/INV-17.pdf")
    assert "signature=" in address_of(made)
    with default_storage.open(str(made.file.name)) as file:
        assert file.read(5) == b"%PDF-"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("recipe", "context"), [(PACKING_SLIP, SLIP), (PICK_LIST, PICKS)])
def test_a_slip_of_the_same_content_is_made_once(recipe: Any, context: dict[str, Any]) -> None:
    order_id = uuid4()

    first, again = (queue_paper(recipe, order_id=order_id, context=context) for _time in range(2))
    other = queue_paper(recipe, order_id=order_id, context=context | {"shop_name": "Other"})

    assert first == again != other
    assert first.kind == recipe.name
    assert tasks.process(str(first.pk))["renditions"][0]["format"] == "pdf"
