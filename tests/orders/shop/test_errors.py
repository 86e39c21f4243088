"""Error pages look like the shop's, even while the database is down."""

import errno

import pytest
from django.db import OperationalError
from django.test import Client

from project.conf.media_storage import StorageDownError
from tests.orders.shop.pages import text_of


@pytest.mark.django_db
def test_a_page_that_is_not_there_leads_back_to_the_shop(client: Client) -> None:
    page = client.get("/nope/")

    assert page.status_code == 404
    assert "There is nothing here" in text_of(page)
    assert 'href="/"' in page.content.decode()


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (OperationalError("gone"), 503, "The shop is busy"),
        (StorageDownError("gone"), 503, "The shop is busy"),
        (OSError(errno.ENOSPC, "gone"), 503, "The shop is busy"),
        (OSError(errno.EPERM, "gone"), 500, "Something went wrong on our side"),
        (RuntimeError("gone"), 500, "Something went wrong on our side"),
    ],
)
def test_a_failure_is_told_without_the_database(
    monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, title: str
) -> None:
    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr("orders.shop.views.products.products_on_sale", fail)
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = "a-session-that-could-not-be-read"

    page = client.get("/products/mug/")

    assert page.status_code == status
    assert title in text_of(page)
    assert "gone" not in text_of(page)
    assert page.has_header("Retry-After") == (status == 503)


def test_a_broken_form_says_what_to_do() -> None:
    page = Client(enforce_csrf_checks=True).post("/checkout/")

    assert page.status_code == 403
    assert "This form is out of date" in text_of(page)


def test_error_pages_speak_the_language_of_the_page() -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies["django_language"] = "zh-hans"

    assert '<html lang="zh-hans">' in client.post("/checkout/").content.decode()
